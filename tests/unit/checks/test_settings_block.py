"""Wrong settings are found by `manage.py check`, each named."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from django_vt import conf
from tests.unit.checks.conftest import ACCOUNT, ids

pytestmark = pytest.mark.any_database


def test_the_settings_of_readme_are_found_good(found):
    assert found() == []


def test_check_itself_finds_a_wrong_setting(settings):
    settings.DJANGO_VT = {**ACCOUNT, "BATCH_SIZE": 0}
    with pytest.raises(SystemCheckError, match=r"DJANGO_VT\[\"BATCH_SIZE\"\] must be a whole number from 1 to"):
        call_command("check")


def test_a_missing_block_is_an_error_and_says_what_to_add(settings):
    del settings.DJANGO_VT
    [message] = run_checks(tags=["django_vt"])
    assert message.id == "django_vt.E001"
    assert message.msg == "The setting DJANGO_VT is missing."
    assert 'DJANGO_VT = {"ACCOUNT_ID": "…"}' in message.hint


@pytest.mark.parametrize("block", [[], "acc123", 1, ["ACCOUNT_ID"]])
def test_a_block_that_is_no_dict_is_an_error(settings, block):
    settings.DJANGO_VT = block
    [message] = run_checks(tags=["django_vt"])
    assert (message.id, message.msg) == ("django_vt.E001", "The setting DJANGO_VT is not a dict.")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("ACOUNT_ID", "ACCOUNT_ID"), ("batch_size", "BATCH_SIZE"), ("MAX_URL_LENGHT", "MAX_URL_LENGTH")],
)
def test_an_unknown_key_is_an_error_with_the_nearest_name(found, written, meant):
    [message] = found(**{written: 1})
    assert message.id == "django_vt.E004"
    assert repr(written) in message.msg
    assert message.hint == f'Did you mean "{meant}"?'


def test_a_key_like_no_other_is_an_error_with_all_names(found):
    [message] = found(**{"🛒": 1})
    assert message.id == "django_vt.E004"
    assert all(key in message.hint for key in conf.KEYS)


def test_a_key_that_is_no_string_is_an_error(settings):
    settings.DJANGO_VT = {**ACCOUNT, 1: 2}
    assert ids(run_checks(tags=["django_vt"])) == ["E004"]


@pytest.mark.parametrize("account", [None, ""])
def test_a_missing_account_is_an_error_while_enabled(found, account):
    [message] = found(ACCOUNT_ID=account)
    assert message.id == "django_vt.E002"
    assert 'DJANGO_VT["ACCOUNT_ID"] is missing' in message.msg


def test_a_missing_account_is_no_error_where_nothing_is_sent(found):
    assert found(ACCOUNT_ID="", ENABLED=False) == []


@pytest.mark.parametrize("account", ["a/b", "a b", "..", "ä", "a?b", "x" * 65, "acc123\n"])
def test_an_account_that_cannot_stand_in_a_path_is_an_error(found, account):
    assert ids(found(ACCOUNT_ID=account)) == ["E003"]


def test_each_account_of_a_dict_must_be_able_to_stand_in_a_path(found):
    assert found(ACCOUNT_ID={"one.ro": "acc-ro", ".one.bg": "acc-bg"}) == []
    assert ids(found(ACCOUNT_ID={"one.ro": "acc-ro", ".one.bg": "a/b"})) == ["E003"]
