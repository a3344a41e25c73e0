"""The reference lists all that there is, and nothing else."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re

import pytest
from django.apps import apps
from django.core.management import find_commands
from django.dispatch import Signal

import django_vt
from django_vt import dispatchers, signals
from django_vt.backends.base import Backend
from django_vt.conf import DEFAULTS
from django_vt.models import SendLogEntry
from django_vt.protocol import reasons
from django_vt.recording import receivers
from tests.docs.pages import DOCS, ROOT, first_column, rows, section, sections, spans, text

pytestmark = pytest.mark.once

REFERENCE = DOCS / "reference"
PACKAGE = ROOT / "django_vt"
SETTINGS = REFERENCE / "settings.md"
MODELS = ["SendLogEntry", "SendAttempt", "Endpoint", "RememberedIdentity"]


def test_every_setting_is_there_once_and_nothing_else_is():
    assert sorted(first_column(SETTINGS)) == sorted(DEFAULTS)


def test_every_default_is_the_one_in_the_code():
    assert {spans(row[0])[0]: ast.literal_eval(spans(row[1])[0]) for row in rows(SETTINGS)} == DEFAULTS


def test_every_command_is_there_and_nothing_else_is():
    commands = sorted(find_commands(str(PACKAGE / "management")))
    page = REFERENCE / "commands.md"
    assert sorted(spans(heading)[0] for heading, _ in sections(page)) == commands
    for name in commands:
        assert f"```{{command-help}} {name}\n```" in section(page, f"`{name}`")


def test_every_command_is_told_in_a_line():
    assert sorted(first_column(REFERENCE / "commands.md")) == sorted(find_commands(str(PACKAGE / "management")))


def test_every_check_is_there_and_nothing_else_is():
    code = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    given = set(re.findall(r'id="(django_vt\.[A-Z]\d{3})"', code))
    assert first_column(REFERENCE / "checks.md") == sorted(given)


def test_every_signal_is_there_and_nothing_else_is():
    own = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
    listed = [spans(row[0])[0] for row in rows(REFERENCE / "signals.md") if row[0].strip("`") in own]
    assert listed == own
    before_the_arguments = text(REFERENCE / "signals.md").partition("## ")[0]
    assert len(re.findall(r"^\| `", before_the_arguments, re.MULTILINE)) == len(own)


def test_every_argument_of_order_placed_is_there_and_nothing_else_is():
    taken = inspect.signature(receivers.record_order).parameters.values()
    names = [parameter.name for parameter in taken if parameter.kind is parameter.KEYWORD_ONLY]
    assert sorted(first_column(REFERENCE / "signals.md", "What `order_placed` takes")) == sorted(names)


@pytest.mark.parametrize("model", MODELS)
def test_every_column_is_there_and_nothing_else_is(model):
    fields = [field.name for field in apps.get_model("django_vt", model)._meta.concrete_fields]
    assert sorted(first_column(REFERENCE / "send-log.md", f"`{model}`")) == sorted(fields)


def test_every_table_is_there():
    headings = [spans(heading)[0] for heading, _ in sections(REFERENCE / "send-log.md") if spans(heading)]
    assert sorted(headings) == sorted(model.__name__ for model in apps.get_app_config("django_vt").get_models())


def test_every_status_and_every_reason_is_there_and_nothing_else_is():
    page = REFERENCE / "send-log.md"
    assert first_column(page, "Statuses") == SendLogEntry.Status.values
    assert sorted(first_column(page, "Reasons")) == sorted(reasons.CODES)


def test_every_permission_is_there_and_nothing_else_is():
    given = {
        f"django_vt.{codename}"
        for model in apps.get_app_config("django_vt").get_models()
        for codename in (
            *(f"{action}_{model._meta.model_name}" for action in model._meta.default_permissions),
            *(codename for codename, _ in model._meta.permissions),
        )
    }
    assert sorted(first_column(REFERENCE / "permissions.md")) == sorted(given)


def subclasses(package, base):
    """The classes of that kind that a package offers for a setting."""
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if (
                inspect.isclass(value)
                and issubclass(value, base)
                and value.__module__ == module.name
                and not inspect.isabstract(value)
            ):
                yield f"{module.name.rpartition('.')[2]}.{name}"


def test_every_backend_and_dispatcher_is_named():
    backends = importlib.import_module("django_vt.backends")
    offered = {*subclasses(backends, Backend), *subclasses(dispatchers, dispatchers.Dispatcher)}
    assert {name for name in offered if name not in text(SETTINGS)} == set()


def test_every_name_that_the_package_lends_is_in_the_reference():
    page = text(REFERENCE / "api.md")
    lent = [name for name in django_vt.__all__ if name != "__version__"]
    assert [name for name in lent if f".. autofunction:: django_vt.{name}\n" not in page] == []


def test_every_dispatcher_is_there_to_be_chosen():
    offered = subclasses(dispatchers, dispatchers.Dispatcher)
    named = [name for row in rows(DOCS / "how-to" / "dispatchers.md", "") for name in spans(row[0])]
    assert sorted(name for name in named if name.endswith("Dispatcher")) == sorted(offered)
