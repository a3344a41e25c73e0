"""A column that the database's character set cannot hold costs that column, and not the event."""

from __future__ import annotations

import pytest
from django.db import DataError, OperationalError, connection

from django_vt import track
from django_vt.events import Event
from django_vt.identity import Identity
from django_vt.models import SendLogEntry
from tests.support.ordering import PIXEL

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _manual(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}


CYRILLIC = "иван@example.com"
GIFT = "🎁-7"


def refusing(*errors):
    """The next INSERTs are refused so."""
    left = list(errors)

    def execute(run, sql, params, many, context):
        if "INSERT INTO" in sql and left:
            raise left.pop(0)
        return run(sql, params, many, context)

    return connection.execute_wrapper(execute)


def of_mariadb(column):
    text = (
        f"Incorrect string value: '\\xF0\\x9F\\x8E\\x81' for column `shop`.`django_vt_sendlogentry`.`{column}` at row 1"
    )
    return OperationalError(1366, text)


class Untranslatable(Exception):
    sqlstate = "22P05"


def of_postgresql():
    error = DataError("character with byte sequence … has no equivalent in encoding LATIN1")
    error.__cause__ = Untranslatable()
    return error


def of_the_driver():
    return UnicodeEncodeError("latin-1", GIFT, 0, 1, "ordinal not in range(256)")


@pytest.mark.parametrize(
    ("errors", "reference", "identity"),
    [
        ([of_mariadb("reference")], "", f"email:{CYRILLIC}"),
        ([of_mariadb("identity")], GIFT, ""),
        ([of_mariadb("reference"), of_mariadb("identity")], "", ""),
        ([of_postgresql()], "", ""),
        ([of_the_driver()], "", ""),
    ],
)
def test_the_column_is_given_up_and_the_event_is_kept(errors, reference, identity, caplog):
    with refusing(*errors):
        entry = track(Event("wishlist", {"note": GIFT}, reference=GIFT), identity=Identity(email=CYRILLIC))
    stored = SendLogEntry.objects.get()
    assert (stored.status, stored.reference, stored.identity) == ("pending", reference, identity)
    assert stored.event["note"] == GIFT
    assert stored.event["email"] == CYRILLIC
    assert entry == stored
    assert [record.levelname for record in caplog.records] == ["WARNING"] * len(errors)
    assert CYRILLIC not in caplog.text


def test_the_log_says_which_column_and_the_databases_code(caplog):
    with refusing(of_mariadb("reference")):
        track(Event("wishlist", reference=GIFT), identity=PIXEL)
    told = f"wishlist {GIFT} is recorded without its reference, which the database cannot hold: OperationalError (1366)"
    assert caplog.messages == [told]


def test_where_no_column_is_to_blame_it_is_an_error_like_any_other(caplog):
    with refusing(of_mariadb("account_id")):
        assert track(Event("wishlist", reference="7"), identity=PIXEL) is None
    assert caplog.messages == ["Could not record wishlist 7: OperationalError (1366)"]


@pytest.fixture(params=["utf8mb3", "latin1"])
def _narrow_tables(request):
    table = SendLogEntry._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} CONVERT TO CHARACTER SET {request.param}")
    yield
    SendLogEntry.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4")


@pytest.mark.skipif(connection.vendor != "mysql", reason="the others have one character set a database")
@pytest.mark.usefixtures("_narrow_tables")
def test_on_mariadb_itself_the_event_is_kept():
    track(Event("wishlist", {"note": GIFT}, reference=GIFT), identity=Identity(email=CYRILLIC))
    stored = SendLogEntry.objects.get()
    assert (stored.status, stored.reference) == ("pending", "")
    assert stored.identity in {f"email:{CYRILLIC}", ""}
    assert stored.event["email"] == CYRILLIC
