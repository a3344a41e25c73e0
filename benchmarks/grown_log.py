"""A send log that a shop has filled for years, made by one statement: nearly all of it sent, and some of everything.

Entry `n` of `entries` was recorded `seconds_apart` after the one before, the last one now. Ids, times and numbers rise
together, as they do in a shop. It holds what an index may serve badly too: a shopper, an address and a reference that
thousands share, others that thousands share and nobody has used for years, a type that was never sent, statuses that a
type never has.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.db import connections

from benchmarks import orders
from django_vt.events import Confirmation, payload
from django_vt.identity import Identity
from django_vt.models import SendAttempt, SendLogEntry
from django_vt.recording.record import hash_of_address

YEARS = 3
RATE = 8.64
"""Seconds between entries of a shop with ten thousand a day."""

# What thousands of entries share: still in use, and no longer.
TILL, OLD_TILL = "till@shop.example", "old-till@shop.example"
OLD_PIXEL = "1111111111111111_2222222222222222"
TILL_REFERENCE, OLD_REFERENCE = "till", "import"
OLD_TYPE = "import"
COMMON_REASON, RARE_REASON = "answered: 400", "tls"

NUMBER = "@number@"
ENTRY, ATTEMPT = SendLogEntry._meta.db_table, SendAttempt._meta.db_table


@dataclass(frozen=True)
class Dialect:
    """What the databases say differently: a series of numbers `n`, and the moment so many seconds ago."""

    series: str
    ago: str


DIALECTS = {
    "postgresql": Dialect(
        "generate_series(CAST(1 AS bigint), {entries}) AS series(n)", "now() - ({seconds}) * interval '1 second'"
    ),
    "mysql": Dialect(
        "(SELECT seq AS n FROM seq_1_to_{entries}) AS series",
        "UTC_TIMESTAMP(6) - INTERVAL ROUND(({seconds}) * 1000000) MICROSECOND",
    ),
    "sqlite": Dialect(
        "(WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {entries}) "
        "SELECT n FROM numbers) AS series",
        "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || ({seconds}) || ' seconds')",
    ),
}


def fill(using: str, entries: int, *, seconds_apart: float = RATE, pending: int = 200) -> None:
    """Fill the empty send log of a database; the last `pending` are due. Its statistics are made where a server's are.

    Indexes are left out meanwhile: made afterwards they are as compact as a database makes them, and made sooner.
    """
    connection = connections[using]
    _prepare(using)
    # SQLite would make the whole table anew for a constraint.
    constraints = SendLogEntry._meta.constraints if connection.vendor != "sqlite" else []
    with connection.schema_editor() as editor:
        for index in SendLogEntry._meta.indexes:
            editor.remove_index(SendLogEntry, index)
        for constraint in constraints:
            editor.remove_constraint(SendLogEntry, constraint)
    with connection.cursor() as cursor:
        cursor.execute(_insert(connection.vendor, entries, seconds_apart, pending))
        cursor.execute(_insert_attempts())
    with connection.schema_editor() as editor:
        for index in SendLogEntry._meta.indexes:
            editor.add_index(SendLogEntry, index)
        for constraint in constraints:
            editor.add_constraint(SendLogEntry, constraint)
    _gather_statistics(using)


def _prepare(using: str) -> None:
    connection = connections[using]
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        connection.connection.create_function("md5", 1, _md5, deterministic=True)
        return
    settings = {
        "mysql": "SET SESSION sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')",
        "postgresql": "SET maintenance_work_mem = '256MB'",
    }
    with connection.cursor() as cursor:
        cursor.execute(settings[connection.vendor])


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _insert(vendor: str, entries: int, seconds_apart: float, pending: int) -> str:
    dialect = DIALECTS[vendor]
    columns = _columns(entries, pending)
    recorded = dialect.ago.format(seconds=f"({entries} - n) * {seconds_apart}")
    names = [*columns, "created_at", "sent_at", "due_at"]
    values = [*columns.values(), "recorded", _where("sent", "recorded"), _where("pending", "0")]
    # Column by column, each may use what those within have worked out.
    typed = f"SELECT n, {recorded} AS recorded, {_types(entries)} AS kind FROM {dialect.series.format(entries=entries)}"
    stated = f"SELECT n, recorded, kind, {_statuses(entries, pending)} AS state FROM ({typed}) AS typed"
    return f"INSERT INTO {ENTRY} ({', '.join(names)}) SELECT {', '.join(values)} FROM ({stated}) AS stated ORDER BY n"


def _columns(entries: int, pending: int) -> dict[str, str]:
    shopper = f"(n * 7919 % {entries // 5 + 1})"
    pixel = f"'pixel:' || (1000000000000000 + {shopper}) || '_' || (9000000000000000 + {shopper})"
    texts = {"confirmation": _confirmation(), "login": _login()}
    return {
        "account_id": "'acc123'",
        "event_type": "kind",
        "payload": _case({f"kind = '{kind}'": _numbered(text) for kind, text in texts.items()}, _numbered(_other())),
        "identity": _case(_shared(entries, f"'email:{TILL}'", f"'email:{OLD_TILL}'", f"'pixel:{OLD_PIXEL}'"), pixel),
        "email_hash": _case(
            _shared(entries, f"'{hash_of_address(TILL)}'", f"'{hash_of_address(OLD_TILL)}'", "''"),
            _case({"kind IN ('confirmation', 'login')": f"md5('a' || {shopper}) || md5('b' || {shopper})"}, "''"),
        ),
        "reference": _case(
            {f"kind = '{OLD_TYPE}'": f"'{OLD_REFERENCE}'", "kind = 'wishlist'": f"'{TILL_REFERENCE}'",
             "kind = 'confirmation'": "'' || (100000 + n)"}, "''",
        ),
        "dedup_key": _case({"kind = 'confirmation'": "md5('c' || n) || md5('d' || n)"}, "NULL"),
        "status": "state",
        "attempts": _case({"state = 'failed'": "8"}, "0"),
        "response_status": _case({"state = 'sent'": "200", "state = 'failed'": "400"}, "NULL"),
        "reason": _case(
            {"n = 7": f"'{RARE_REASON}'", "state = 'failed'": f"'{COMMON_REASON}'", f"kind = '{OLD_TYPE}'": "'expired'",
             "state = 'skipped'": "'nobody'"}, "''",
        ),
    }  # fmt: skip


def _types(entries: int) -> str:
    """Four in ten are orders and as many logins; what was imported once is old."""
    return _case(
        {f"n <= {entries // 10} AND n % 2 = 0": f"'{OLD_TYPE}'", "n % 10 IN (0, 2, 5, 7)": "'confirmation'",
         "n % 10 = 8": "'wishlist'", "n % 10 = 9": "'addtocart'"}, "'login'",
    )  # fmt: skip


def _statuses(entries: int, pending: int) -> str:
    """One in a thousand has failed, one in fifty was skipped, no order among those."""
    return _case(
        {f"n > {entries - pending}": "'pending'", f"kind = '{OLD_TYPE}'": "'skipped'", "n % 1000 = 7": "'failed'",
         "n % 50 = 3": "'skipped'"}, "'sent'",
    )  # fmt: skip


def _shared(entries: int, till: str, old_till: str, old_pixel: str) -> dict[str, str]:
    old = f"n <= {entries // 10}"
    return {f"{old} AND n % 3 = 0": old_till, f"{old} AND n % 3 = 1": old_pixel, "n % 20 = 0": till}


def _case(cases: dict[str, str], otherwise: str) -> str:
    return (
        f"CASE {' '.join(f'WHEN {condition} THEN {value}' for condition, value in cases.items())} ELSE {otherwise} END"
    )


def _where(state: str, value: str) -> str:
    return _case({f"state = '{state}'": value}, "NULL")


def _numbered(text: str) -> str:
    return f"replace('{text}', '{NUMBER}', '' || n)"


def _confirmation() -> str:
    event = Confirmation(NUMBER, orders.TOTAL, orders.items(), email=orders.EMAIL)
    return payload(event, Identity(user_id="1000000000000000", session_id="9000000000000000"))


def _login() -> str:
    from django_vt.events import Login

    return payload(Login(orders.EMAIL, "website"), Identity(email=orders.EMAIL))


def _other() -> str:
    from django_vt.events import Event

    identity = Identity(user_id="1000000000000000", session_id="9000000000000000")
    return payload(Event("wishlist", {"productId": NUMBER}), identity)


def _insert_attempts() -> str:
    """Eight of what has failed for good, and what the outages of years have left: one of every fifth entry."""
    tries = " UNION ALL ".join(f"SELECT {number} AS number" for number in range(8))
    return (
        f"INSERT INTO {ATTEMPT} (entry_id, at, response_status, reason) SELECT id, created_at, 503, 'answered: 503' "
        f"FROM {ENTRY}, ({tries}) AS tries WHERE status = 'failed' OR (number = 0 AND id % 5 = 1)"
    )


def _gather_statistics(using: str) -> None:
    """As autovacuum does on PostgreSQL, and MariaDB by itself; nobody does it on SQLite."""
    statements: dict[str, list[Any]] = {
        "postgresql": [f"VACUUM (ANALYZE) {ENTRY}", f"VACUUM (ANALYZE) {ATTEMPT}"],
        "mysql": [f"ANALYZE TABLE {ENTRY}", f"ANALYZE TABLE {ATTEMPT}"],
    }
    with connections[using].cursor() as cursor:
        for statement in statements.get(connections[using].vendor, []):
            cursor.execute(statement)
