"""A database that lacks letters is found when it is migrated."""

from __future__ import annotations

import pytest
from django.core.checks import Tags, run_checks
from django.db import connection

from django_vt.checks import check_charset, check_databases

pytestmark = pytest.mark.any_database

TABLE = "django_vt_sendlogentry"


def found(*databases):
    messages = run_checks(tags=[Tags.database], databases=list(databases))
    return [message for message in messages if message.id == "django_vt.W005"]


@pytest.mark.django_db
def test_the_database_of_the_tests_holds_every_letter():
    assert found("default") == []


def test_a_database_that_is_not_asked_about_is_not_connected_to():
    assert check_databases() == check_databases(databases=[]) == check_databases(databases=["other"]) == []


@pytest.mark.skipif(connection.vendor != "mysql", reason="charsets of columns are MariaDB's")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("charset", ["utf8mb3", "latin1"])
def test_a_charset_that_lacks_letters_is_a_warning(charset):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} CONVERT TO CHARACTER SET {charset}")
    try:
        [message] = found("default")
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {TABLE} CONVERT TO CHARACTER SET utf8mb4")
    assert charset in message.msg
    assert "utf8mb4" in message.hint
    assert not message.is_serious()


class OfCharset:
    """A connection whose table has columns of these charsets."""

    vendor = "mysql"

    def __init__(self, *charsets):
        self._charsets = charsets

    def cursor(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass

    def execute(self, _sql, parameters=None):
        self._rows = [("latin1",)] if parameters is None else [(charset,) for charset in self._charsets]

    def fetchall(self):
        return self._rows


@pytest.mark.parametrize(
    ("charsets", "named"),
    [
        (("utf8mb4",), ""),
        (("utf8mb4", "utf8mb3"), "in utf8mb3,"),
        (("utf8mb3", "latin1"), "in latin1, utf8mb3,"),
        ((), "in latin1,"),  # no table yet: it will have the database's
    ],
)
def test_the_charsets_that_lack_letters_are_named(monkeypatch, charsets, named):
    monkeypatch.setattr("django_vt.checks.connections", {"default": OfCharset(*charsets)})
    messages = check_charset("default")
    assert [named in message.msg for message in messages] == [True] * bool(named)
