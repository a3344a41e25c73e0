"""The statements of each claim, each accepted request and each new entry, as ready-made SQL.

The ORM would compile each statement, with its dozens of ids, anew. That takes a worker longer than a nearby vendor
takes to answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.apps import apps
from django.db import Error, connections
from django.db.models.base import ModelState

from django_vt.models import _pipeline

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    from django_vt.models.send_log import SendLogEntry


COLUMNS = (
    "id", "account_id", "event_type", "payload", "batch_limit", "attempts", "waits", "accepted_before",
    "accepted_when_rejected",
)  # fmt: skip


@dataclass
class ClaimedEntry:
    """The columns of an entry that the delivery needs, as they were when it was claimed."""

    pk: int
    account_id: str
    event_type: str
    payload: str = field(repr=False)
    batch_limit: int | None
    attempts: int
    waits: int
    accepted_before: int | None
    accepted_when_rejected: int | None

    @property
    def is_suspect(self) -> bool:
        """Whether a request with this entry has failed."""
        return self.batch_limit is not None


@dataclass(frozen=True)
class Wanted:
    """Which entries a claim should take: those due at `now` (ms of the database's clock), oldest first.

    `never_failed` and `tried`: at most how many of each kind. `ids`: only these. `address`: only this account and type.
    `account_id`: only this account. `closed`: accounts and types to leave; `held`: accounts to leave. `until`: also
    take unclaimed entries that are due by then, for a probe. `newer_than`: only entries recorded after the one with
    this id, the newest first.
    """

    now: int
    never_failed: int
    tried: int
    ids: Collection[int] | None = None
    address: tuple[str, str] | None = None
    account_id: str | None = None
    closed: Collection[tuple[str, str]] = ()
    held: Collection[str] = ()
    until: int | None = None
    newer_than: int | None = None


@dataclass(frozen=True)
class Taken:
    """The entries that a claim has taken, in the order of recording, and its token.

    `collided`: other workers were quicker for more than half of the entries that it had chosen.
    """

    token: str
    entries: list[ClaimedEntry]
    collided: bool = False


def claim(wanted: Wanted, token: str, until: int, using: str, *, skip: int = 0) -> Taken:
    """Claim the wanted entries until a moment (ms of the database's clock).

    This takes one statement if the database has UPDATE … RETURNING, otherwise a SELECT and an UPDATE of the rows found.
    `skip`: how many rows the SELECT skips, for a worker that has collided with another.
    """
    if not _updates_return(using):
        return _look_and_claim(wanted, token, until, using, skip)
    locking = " FOR UPDATE SKIP LOCKED" * (connections[using].vendor == "postgresql")
    chosen, parameters = _choice(wanted, using, locking=locking)
    # MATERIALIZED, because PostgreSQL may run a subquery with SKIP LOCKED again for each row, and take other rows.
    sql = (
        f"WITH chosen AS MATERIALIZED ({chosen}) UPDATE {_table(using)} SET claim = %s, due_at = %s "  # noqa: S608
        f"WHERE id IN (SELECT id FROM chosen) RETURNING {', '.join(COLUMNS)}"
    )
    with connections[using].cursor() as cursor:
        cursor.execute(sql, [*parameters, token, until])
        return Taken(token, _claimed_entries(cursor))


def _updates_return(using: str) -> bool:
    """Whether the database has UPDATE … RETURNING."""
    # MariaDB has only INSERT … RETURNING. SQLite got both in the same version.
    connection = connections[using]
    return connection.vendor != "mysql" and connection.features.can_return_columns_from_insert


def _look_and_claim(wanted: Wanted, token: str, until: int, using: str, skip: int) -> Taken:
    chosen, parameters = _choice(wanted, using, skip=skip)
    with connections[using].cursor() as cursor:
        cursor.execute(chosen, parameters)
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return Taken(token, [])
    latest = wanted.now if wanted.until is None else wanted.until
    free = "due_at <= %s AND (claim IS NULL OR due_at <= %s)"
    _change("claim = %s, due_at = %s", free, [token, until, latest, wanted.now], ids, using)
    entries = read_claimed(token, until, using)
    return Taken(token, entries, collided=2 * len(entries) < len(ids))


def _choice(wanted: Wanted, using: str, *, locking: str = "", skip: int = 0) -> tuple[str, list[Any]]:
    """SQL that selects the wanted ids: first of entries that never failed, then of those that have."""
    condition, parameters = _leaving_out(wanted, using)
    has_failed = "due_at > 0 AND due_at <= %s"
    if wanted.until is not None:
        has_failed = f"({has_failed} OR due_at > %s AND due_at <= %s AND claim IS NULL)"
    moments = [wanted.now] if wanted.until is None else [wanted.now, wanted.now, wanted.until]
    kinds: tuple[tuple[str, str, list[int], int, int], ...] = (
        ("due_at = 0", "id" if wanted.newer_than is None else "id DESC", [], wanted.never_failed, skip),
        # Entries that have not failed alone come first: most of them only shared a request with a bad one.
        (has_failed, "waits > 0, due_at, id", moments, wanted.tried, 0),
    )
    parts: list[str] = []
    values: list[Any] = []
    for due, order, bounds, most, offset in kinds:
        if most:
            part = (
                f"SELECT id FROM {_table(using)} WHERE {due}{condition} "  # noqa: S608
                f"ORDER BY {order} LIMIT {most} OFFSET {offset}{locking}"
            )
            parts.append(f"SELECT id FROM ({part}) AS kind_{len(parts)}")  # noqa: S608
            values += [*bounds, *parameters]
    return " UNION ALL ".join(parts), values


def _leaving_out(wanted: Wanted, using: str) -> tuple[str, list[Any]]:
    """The conditions except time. BINARY, because on MariaDB `acc` equals `ACC`, and another account would wait."""
    exactly = "BINARY " * (connections[using].vendor == "mysql")
    same_address = f"({exactly}account_id = %s AND {exactly}event_type = %s)"
    conditions: list[str] = []
    parameters: list[Any] = []
    if wanted.ids is not None:
        conditions.append(_among(wanted.ids))
    if wanted.address is not None:
        conditions.append(same_address)
        parameters += wanted.address
    if wanted.account_id is not None:
        conditions.append(f"{exactly}account_id = %s")
        parameters.append(wanted.account_id)
    if wanted.newer_than is not None:
        conditions.append(f"id > {int(wanted.newer_than)}")
    for address in wanted.closed:
        conditions.append(f"NOT {same_address}")
        parameters += address
    for account_id in wanted.held:
        conditions.append(f"NOT ({exactly}account_id = %s)")
        parameters.append(account_id)
    return "".join(f" AND {condition}" for condition in conditions), parameters


def read_claimed(token: str, until: int, using: str) -> list[ClaimedEntry]:
    """The entries of the claim with this token and this end of its lease, in the order of recording."""
    sql = f"SELECT {', '.join(COLUMNS)} FROM {_table(using)} WHERE due_at = %s AND claim = %s"  # noqa: S608
    with connections[using].cursor() as cursor:
        cursor.execute(sql, [until, token])
        return _claimed_entries(cursor)


def _claimed_entries(cursor: CursorWrapper) -> list[ClaimedEntry]:
    return [ClaimedEntry(*row) for row in sorted(cursor.fetchall())]


def mark_sent(
    ids: Collection[int], token: str, at: datetime, response_status: int | None, *, reason: str, using: str
) -> int:
    """Mark those of the ids that the claim still holds as sent; returns how many these are.

    `reason`: empty, or that the backend sends nothing.
    """
    moment = connections[using].ops.adapt_datetimefield_value(at)
    becomes = "status = 'sent', claim = NULL, due_at = NULL, sent_at = %s, response_status = %s, reason = %s"
    return _change(becomes, "claim = %s", [moment, response_status, reason, token], ids, using)


def _change(becomes: str, condition: str, parameters: list[Any], ids: Collection[int], using: str) -> int:
    with connections[using].cursor() as cursor:
        cursor.execute(f"UPDATE {_table(using)} SET {becomes} WHERE {_among(ids)} AND {condition}", parameters)  # noqa: S608
        changed: int = cursor.rowcount
    return changed


def _model() -> type[SendLogEntry]:
    # Not imported, because the model's module imports this one.
    return apps.get_model("django_vt", "SendLogEntry")


def _table(using: str) -> str:
    # Ask the model: a project may have renamed the table.
    return connections[using].ops.quote_name(_model()._meta.db_table)


def _among(ids: Collection[int]) -> str:
    # Numbers need no parameters, and databases limit the number of parameters.
    return f"id IN ({', '.join(map(str, map(int, ids))) or 'NULL'})"


# The verb `record`: insert the row of a new event, with statements that are made once for each database.
#
# The ORM would compile an INSERT of eighteen columns, and the SELECT before it, anew for every order. That takes
# several times as long as the database takes to run them, and the checkout waits for it.
#

# The columns of a new entry; all others are as in `UNTRIED`.
TEXTS = ("account_id", "event_type", "payload", "identity", "email_hash", "reference", "dedup_key", "status", "reason")
MOMENTS = ("created_at",)
NUMBERS = ("due_at",)
UNTRIED: Mapping[str, Any] = {
    **dict.fromkeys(("payload", "identity", "email_hash", "reference", "reason"), ""),
    **dict.fromkeys(("dedup_key", "due_at", "batch_limit", "claim", "sent_at", "response_status")),
    **dict.fromkeys(("accepted_before", "accepted_when_rejected")),
    "attempts": 0,
    "waits": 0,
}
BROKEN_BEFORE = "25P02"  # PostgreSQL's in_failed_sql_transaction: no savepoint was set
SAVEPOINT = "SAVEPOINT django_vt_record"
RELEASE, ROLLBACK = f"RELEASE {SAVEPOINT}", f"ROLLBACK TO {SAVEPOINT}"


def record(values: Mapping[str, Any], using: str, *, latest: bool = False) -> SendLogEntry | None:
    """Insert an entry, in a savepoint of the open transaction; None where there is one with its `dedup_key` already.

    On PostgreSQL and SQLite the INSERT passes over a key that is taken, so that it can't be refused: PostgreSQL would
    write a refused one, address and all, into its log. Elsewhere a look comes first, as MariaDB's INSERT IGNORE would
    pass over every other error too; of two that insert one key at the same moment one gets an `IntegrityError`. Then
    `latest`: the look waits for other transactions and sees what they have committed since this one began.
    """
    row = {**UNTRIED, **values}
    new_id = _insert(row, using, latest=latest)
    if new_id is None:
        return None
    return _loaded({**row, "id": new_id}, using)


def _loaded(row: Mapping[str, Any], using: str) -> SendLogEntry:
    """The entry of a row, made as unpickling does: `from_db` would take a quarter of the INSERT's time."""
    entry = _model().__new__(_model())
    vars(entry).update(row)
    entry._state = ModelState()
    entry._state.adding, entry._state.db = False, using
    return entry


class _Statements(NamedTuple):
    """The SQL for one database. `look_up` is None if the INSERT skips taken keys; `in_one` takes one round trip."""

    look_up: str | None
    insert: str
    in_one: str | None
    returns_id: bool


@cache
def _statements(using: str, *, latest: bool = False) -> _Statements:
    connection = connections[using]
    quote = connection.ops.quote_name
    column = {field.attname: quote(str(field.column)) for field in _model()._meta.concrete_fields}
    table, names = quote(_model()._meta.db_table), [*TEXTS, *MOMENTS, *NUMBERS, "attempts"]
    values = ", ".join(["%s"] * (len(names) - 1))
    insert = f"INSERT INTO {table} ({', '.join(column[name] for name in names)}) VALUES ({values}, 0)"  # noqa: S608
    returns_id = connection.features.can_return_columns_from_insert
    passes_over = returns_id and connection.vendor in {"postgresql", "sqlite"}
    insert += f" ON CONFLICT ({column['dedup_key']}) DO NOTHING" * passes_over
    insert += f" RETURNING {column['id']}" * returns_id
    look_up = f"SELECT {column['id']} FROM {table} WHERE {column['dedup_key']} = %s" + " FOR UPDATE" * latest  # noqa: S608
    return _Statements(
        look_up=None if passes_over else look_up,
        insert=insert,
        in_one=f"{SAVEPOINT}; {insert}; {RELEASE}" if _pipeline.is_possible(connection) else None,
        returns_id=returns_id,
    )


def _insert(row: Mapping[str, Any], using: str, *, latest: bool) -> int | None:
    """The new row's primary key; None where its `dedup_key` is taken."""
    connection, statements = connections[using], _statements(using, latest=latest)
    adapt = connection.ops.adapt_datetimefield_value
    parameters = [
        *(row[name] for name in TEXTS),
        *(adapt(row[name]) for name in MOMENTS),
        *(row[name] for name in NUMBERS),
    ]
    with connection.cursor() as cursor:
        if statements.in_one is not None and not _pipeline.is_open(connection):
            return _insert_in_one(cursor, connection, statements.in_one, parameters)
        cursor.execute(SAVEPOINT)
        try:
            new_id = _look_and_insert(cursor, connection, statements, parameters, row["dedup_key"])
            cursor.execute(RELEASE)
        except BaseException as error:
            _roll_back(cursor, connection, error)
            raise
    return new_id


def _insert_in_one(
    cursor: CursorWrapper, connection: BaseDatabaseWrapper, sql: str, parameters: Sequence[Any]
) -> int | None:
    if _transaction_status(connection) == "IDLE":
        # The transaction's first statement: psycopg begins it with one of its own.
        cursor.execute(SAVEPOINT)
        sql = sql.removeprefix(f"{SAVEPOINT}; ")
    with _pipeline.cursor(connection) as pipeline:
        try:
            pipeline.execute(sql, parameters)
            return _first(pipeline)
        except BaseException as error:
            # What was refused before it reached the server, by an `execute_wrapper` say, has set no savepoint: to
            # roll back to one that does not exist would break a transaction that is whole.
            if not sql.startswith(SAVEPOINT) or _transaction_status(connection) != "INTRANS":
                _roll_back(cursor, connection, error)
            raise


def _look_and_insert(
    cursor: CursorWrapper,
    connection: BaseDatabaseWrapper,
    statements: _Statements,
    parameters: Sequence[Any],
    dedup_key: str | None,
) -> int | None:
    if statements.look_up and dedup_key is not None:
        cursor.execute(statements.look_up, [dedup_key])
        if cursor.fetchone():
            return None
    cursor.execute(statements.insert, parameters)
    return _first(cursor) if statements.returns_id else connection.ops.last_insert_id(cursor, "", "")


def _first(cursor: CursorWrapper) -> int | None:
    row = cursor.fetchone()
    return row[0] if row else None


def _transaction_status(connection: BaseDatabaseWrapper) -> str:
    """The status in psycopg 3: `IDLE` before a transaction's first statement, `INTRANS` while none has failed."""
    return str(connection.connection.info.transaction_status.name)


def _roll_back(cursor: CursorWrapper, connection: BaseDatabaseWrapper, error: BaseException) -> None:
    """Roll back to the savepoint, as `transaction.atomic` does. If that fails, mark the transaction as broken."""
    if getattr(error.__cause__, "sqlstate", None) == BROKEN_BEFORE:
        return
    try:
        cursor.execute(ROLLBACK)
        cursor.execute(RELEASE)
    except Error:
        connection.needs_rollback = True
