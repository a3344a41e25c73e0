"""A new row, written in each of the ways that a database may want, on whatever database the tests run.

A way that is not this database's own is played: it is given another's statements, one after the other.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.db import IntegrityError, InternalError, OperationalError, connection, transaction

from django_vt.models import SendLogEntry, _pipeline, fast_sql
from django_vt.models.fast_sql import RELEASE, SAVEPOINT, record
from tests.projects.shop.models import Order

pytestmark = pytest.mark.django_db

LOOK_UP = "SELECT id FROM django_vt_sendlogentry WHERE dedup_key = %s"


class SeveralAtOnce:
    """A cursor that, as psycopg 3's does, takes several statements at once and has the rows of each."""

    def __init__(self, cursor):
        self._cursor = cursor
        self._rows = []

    def __enter__(self):
        self._cursor.__enter__()
        return self

    def __exit__(self, *details):
        self._cursor.__exit__(*details)

    def __getattr__(self, name):
        return getattr(self._cursor, name)

    def execute(self, sql, parameters=None):
        self._rows = []
        for statement in sql.split("; "):
            self._cursor.execute(statement, parameters if "%s" in statement else None)
            if "; " in sql:
                self._rows.append(self._cursor.fetchone() if "RETURNING" in statement else None)

    def fetchone(self):
        return next(filter(None, self._rows), None) if self._rows else self._cursor.fetchone()


def look_first(own):
    insert, _conflict, returning = own.insert.partition(' ON CONFLICT ("dedup_key") DO NOTHING')
    return own._replace(look_up=LOOK_UP, insert=insert + returning, in_one=None)


def all_in_one(own):
    return own._replace(in_one=f"{SAVEPOINT}; {own.insert}; {RELEASE}")


# MariaDB has no INSERT that tells of a key that is taken.
WAYS = {"as it comes": None, "look first": look_first, "all in one": all_in_one}
if connection.vendor == "mysql":
    del WAYS["all in one"]


@pytest.fixture(params=WAYS)
def _way(request, monkeypatch):
    own, change = fast_sql._statements("default"), WAYS[request.param]
    if change is not None:
        monkeypatch.setattr(fast_sql, "_statements", lambda using, **_latest: change(own))
        monkeypatch.setattr(_pipeline, "cursor", lambda connection: SeveralAtOnce(connection.cursor()))
        monkeypatch.setattr(fast_sql, "_transaction_status", lambda connection: "INERROR")


def values(clock, **changes):
    moments = {"created_at": clock.now, "due_at": 0}
    return {"account_id": "acc123", "event_type": "confirmation", "status": "pending", **moments, **changes}


FULL = {
    "payload": '{"a":"100 % \\u0219; --"}',
    "identity": "email:buyer@example.com",
    "email_hash": "e" * 64,
    "reference": "100023",
    "dedup_key": "d" * 64,
}


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("columns", [FULL, {}, {"status": "skipped", "due_at": None, "reason": "invalid: total"}])
def test_the_entry_given_back_is_the_row_that_was_written(columns, clock):
    with transaction.atomic():
        entry = record(values(clock, **columns), "default")
    [row] = SendLogEntry.objects.all()
    assert vars(entry).keys() == vars(row).keys()
    for field in SendLogEntry._meta.concrete_fields:
        assert getattr(entry, field.attname) == getattr(row, field.attname)
    assert {name: getattr(row, name) for name in columns} == columns


@pytest.mark.usefixtures("_way")
def test_a_key_that_is_taken_changes_nothing_and_breaks_nothing(clock):
    with transaction.atomic():
        first = record(values(clock, **FULL), "default")
        assert record(values(clock, **{**FULL, "reference": "another"}), "default") is None
        Order.objects.create(number="1", total=1)
    assert [(entry.pk, entry.reference) for entry in SendLogEntry.objects.all()] == [(first.pk, "100023")]
    assert Order.objects.exists()


@pytest.mark.usefixtures("_way")
def test_rows_without_a_key_are_never_taken_for_each_other(clock):
    with transaction.atomic():
        assert record(values(clock), "default") != record(values(clock), "default")


@pytest.mark.usefixtures("_way")
def test_a_row_that_is_refused_leaves_the_transaction_as_it_was(clock):
    with transaction.atomic():
        Order.objects.create(number="1", total=1)
        with pytest.raises(IntegrityError):
            record(values(clock, **FULL, status=None), "default")
        assert not connection.needs_rollback
        Order.objects.create(number="2", total=1)
    assert Order.objects.count() == 2
    assert not SendLogEntry.objects.exists()


@pytest.mark.usefixtures("_way")
def test_where_even_the_savepoint_is_gone_so_is_the_transaction(clock):
    def refuse_rollback(run, sql, params, many, context):
        if sql.startswith("ROLLBACK TO"):
            raise OperationalError(1305, "SAVEPOINT does not exist")
        return run(sql, params, many, context)

    with transaction.atomic():
        Order.objects.create(number="1", total=1)
        with pytest.raises(IntegrityError), connection.execute_wrapper(refuse_rollback):
            record(values(clock, **FULL, status=None), "default")
        assert connection.needs_rollback
    assert not Order.objects.exists()


@pytest.mark.usefixtures("_way")
def test_a_transaction_that_was_broken_before_is_not_called_broken_by_us(clock):
    """PostgreSQL refuses whatever comes after a statement that failed; Django does not know of it yet."""

    class InFailedSqlTransaction(Exception):
        sqlstate = "25P02"

    def refuse(run, sql, params, many, context):
        raise InternalError from InFailedSqlTransaction()

    with transaction.atomic(), connection.execute_wrapper(refuse):
        with pytest.raises(InternalError):
            record(values(clock, **FULL), "default")
        assert not connection.needs_rollback


def test_what_psycopg_knows_of_a_transaction_is_asked_by_name():
    status = SimpleNamespace(name="INTRANS")
    driver = SimpleNamespace(info=SimpleNamespace(transaction_status=status))
    assert fast_sql._transaction_status(SimpleNamespace(connection=driver)) == "INTRANS"


def test_a_savepoint_that_was_never_set_is_not_gone_back_to(clock, monkeypatch):
    sent = []

    def refuse(run, sql, params, many, context):
        sent.append(sql)
        raise OperationalError

    way = all_in_one(fast_sql._statements("default"))
    monkeypatch.setattr(fast_sql, "_statements", lambda using, **_latest: way)
    monkeypatch.setattr(_pipeline, "cursor", lambda connection: SeveralAtOnce(connection.cursor()))
    monkeypatch.setattr(fast_sql, "_transaction_status", lambda connection: "INTRANS")
    with transaction.atomic(), connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        record(values(clock, **FULL), "default")
    assert sent == [SAVEPOINT]
    assert not connection.needs_rollback


def test_the_transactions_first_statement_is_the_drivers_to_begin(clock, monkeypatch):
    way = all_in_one(fast_sql._statements("default"))
    if connection.vendor == "mysql":
        pytest.skip("MariaDB has no INSERT that tells of a key that is taken")
    monkeypatch.setattr(fast_sql, "_statements", lambda using, **_latest: way)
    monkeypatch.setattr(_pipeline, "cursor", lambda connection: SeveralAtOnce(connection.cursor()))
    monkeypatch.setattr(fast_sql, "_transaction_status", lambda connection: "IDLE")
    with transaction.atomic():
        assert record(values(clock, **FULL), "default") == SendLogEntry.objects.get()
        with pytest.raises(IntegrityError):
            record(values(clock, status=None), "default")
        assert SendLogEntry.objects.count() == 1


def test_a_database_that_returns_nothing_tells_the_new_key_by_itself(clock, monkeypatch):
    own = look_first(fast_sql._statements("default"))
    silent = own._replace(insert=own.insert.partition(" RETURNING")[0], returns_id=False)
    monkeypatch.setattr(fast_sql, "_statements", lambda using, **_latest: silent)
    monkeypatch.setattr(connection.ops, "last_insert_id", lambda cursor, table, column: SendLogEntry.objects.get().pk)
    with transaction.atomic():
        assert record(values(clock, **FULL), "default") == SendLogEntry.objects.get()
