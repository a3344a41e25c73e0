"""What holds for every command."""

from __future__ import annotations

import pytest
from django.core.management import load_command_class
from django.core.management.base import CommandError, SystemCheckError

from django_vt.management.arguments import WrongArgument
from django_vt.models import Endpoint
from tests.support.delivering import configure, one
from tests.unit.management.commands.conftest import failed, fails, hold, pause, run

COMMANDS = [
    *("send_pending", "resend", "purge_send_log", "send_log_status", "hold_sending", "release_sending"),
    *("forget_shopper", "export_shopper", "send_test_event"),
]
ADDRESS = "canary@example.com"
ARGUMENTS = {"forget_shopper": [ADDRESS], "export_shopper": ["--vtsid=nobody"]}
WHATEVER_THE_SETTINGS = ["forget_shopper", "export_shopper", "send_log_status", "hold_sending", "release_sending"]


def told(name, *arguments, **options):
    """What a command prints, given what it can't do without."""
    return run(name, *ARGUMENTS.get(name, ()), *arguments, **options)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_and_each_of_its_arguments_has_help(name):
    command = load_command_class("django_vt", name)
    parser = command.create_parser("manage.py", name)
    assert "--database" in parser.format_help()
    assert command.help.endswith(".")
    assert [action.dest for action in parser._actions if not action.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_database_is_refused_by_name(name):
    error = fails(name, "--database=elsewhere")
    assert str(error) == "argument --database: there is no such database; the project has default"
    assert error.returncode == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_a_missing_table_is_said_without_the_text_of_the_database(name, empty_database):
    error = fails(name, *ARGUMENTS.get(name, ()), f"--database={empty_database}")
    assert 'The send log on the database "other" cannot be used (OperationalError)' in str(error)
    assert "django_vt_" not in str(error)
    assert (error.__cause__, error.__suppress_context__) == (None, True)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_works_on_the_database_named(name, other_database):
    assert told(name, f"--database={other_database}")
    assert not Endpoint.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", COMMANDS)
def test_verbosity_0_is_silence(name):
    assert told(name, "--verbosity=0") == ""
    assert told(name) != ""


@pytest.mark.django_db
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_prints_an_address_or_an_identity(name, script):
    person = {"identity": f"email:{ADDRESS}", "payload": f'{{"email":"{ADDRESS}"}}', "reference": "100023"}
    script.answer = lambda request: 400
    one(**person)
    one(**person, **failed())
    hold()
    held = _all_it_says(name)
    run("release_sending")
    Endpoint.objects.all().delete()
    pause()
    for text in (held, _all_it_says(name)):
        assert "@" not in text
        assert "canary" not in text


def _all_it_says(name):
    try:
        return told(name)
    except CommandError as error:
        return f"{error!r} {error}"


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - set(WHATEVER_THE_SETTINGS)))
def test_commands_that_send_or_purge_look_at_the_settings_first(name, settings):
    configure(settings, BATCH_SIZE=0)
    with pytest.raises(SystemCheckError, match="BATCH_SIZE"):
        run(name, skip_checks=False)


@pytest.mark.django_db
@pytest.mark.parametrize("name", WHATEVER_THE_SETTINGS)
def test_what_cannot_wait_works_with_wrong_settings_too(name, settings):
    configure(settings, BATCH_SIZE=0, ACCOUNT_ID=None, LEASE="long")
    assert load_command_class("django_vt", name).requires_system_checks == ()
    assert told(name)


def test_a_wrong_argument_names_itself_and_exits_as_argparse_does():
    error = WrongArgument("--since", "is too far away")
    assert (str(error), error.returncode) == ("argument --since: is too far away", 2)
