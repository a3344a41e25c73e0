from __future__ import annotations

import pytest
from django.core.checks import Error

from django_vt.backends.base import Backend
from django_vt.dispatchers.base import Dispatcher
from tests.unit.checks.conftest import ids

pytestmark = pytest.mark.any_database

NOT_CALLABLE = "a string"


class WarningBackend(Backend):
    @classmethod
    def check(cls):
        return [Error("a word of the backend's own", id="tests.E001")]


class RaisingDispatcher(Dispatcher):
    @classmethod
    def check(cls):
        raise LookupError("buyer@example.com")


def before_record(event, identity, request):
    return event


@pytest.mark.parametrize("key", ["BACKEND", "DISPATCHER", "BEFORE_RECORD", "ISSUE_VTSID", "TRACK_LOGINS", "ORDERS"])
@pytest.mark.parametrize("path", ["", "nodots", ".", "..", "shop.nowhere.Thing", "os.Thing", "\ud800.x", "os.\ud800"])
def test_a_dotted_path_that_does_not_import_is_an_error(found, key, path):
    [message] = found(**{key: path})
    assert message.id == "django_vt.E009"
    assert message.msg.startswith(f'DJANGO_VT["{key}"] ')
    assert message.hint.startswith("It is a dotted path such as ")


def test_the_path_of_a_function_that_names_the_account_is_an_error_too_where_it_does_not_import(found):
    assert ids(found(ACCOUNT_ID="shop.nowhere.account")) == ["E009"]
    assert found(ACCOUNT_ID="acc.123") == []


def test_an_import_that_fails_is_told_in_its_own_words(found):
    [message] = found(BEFORE_RECORD="shop.nowhere.before_record")
    assert message.msg == "DJANGO_VT[\"BEFORE_RECORD\"] cannot be imported: No module named 'shop'."


def test_a_module_that_breaks_at_import_is_told_by_the_error_s_class_only(found, tmp_path, monkeypatch):
    (tmp_path / "broken_consent.py").write_text("raise LookupError('buyer@example.com')")
    monkeypatch.syspath_prepend(tmp_path)
    [message] = found(BEFORE_RECORD="broken_consent.before_record")
    assert message.id == "django_vt.E009"
    assert message.msg.endswith("the import raised LookupError.")


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("BACKEND", "django_vt.dispatchers.manual.ManualDispatcher"),
        ("BACKEND", "django_vt.backends.base"),
        ("DISPATCHER", "django_vt.backends.dummy.DummyBackend"),
        ("DISPATCHER", f"{__name__}.before_record"),
        ("BEFORE_RECORD", f"{__name__}.NOT_CALLABLE"),
        *((key, f"{__name__}.NOT_CALLABLE") for key in ("ISSUE_VTSID", "TRACK_LOGINS", "ORDERS")),
        ("ACCOUNT_ID", f"{__name__}.NOT_CALLABLE"),
    ],
)
def test_a_dotted_path_to_something_of_another_kind_is_an_error(found, key, path):
    [message] = found(**{key: path})
    assert message.id == "django_vt.E010"
    assert message.msg.startswith(f'DJANGO_VT["{key}"] ')


def test_the_backend_s_own_check_is_heard(found):
    assert ids(found(BACKEND=f"{__name__}.WarningBackend")) == ["tests.E001"]


def test_an_own_check_that_raises_is_an_error_without_its_text(found):
    [message] = found(DISPATCHER=f"{__name__}.RaisingDispatcher")
    assert message.id == "django_vt.E011"
    assert "LookupError" in message.msg
    assert "@" not in message.msg
