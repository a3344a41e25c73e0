"""What every claim and every accepted request does to the send log, in SQL that is only filled in.

The ORM compiles each of these statements, with its dozens of ids, anew: that takes a worker longer than a vendor that
is near takes to answer.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connections

COLUMNS = ("id", "account_id", "event_type", "payload", "batch_limit", "attempts")


@dataclass
class ClaimedEntry:
    """What delivery needs of an entry in its hands, as it was when it was taken."""

    pk: int
    account_id: str
    event_type: str
    payload: str = field(repr=False)
    batch_limit: int | None
    attempts: int


def take(ids: Collection[int], token: str, now: datetime, until: datetime, using: str) -> None:
    """Claim those of the ids that are still due at `now`."""
    adapt = connections[using].ops.adapt_datetimefield_value
    _change("claim = %s, due_at = %s", "due_at <= %s", [token, adapt(until), adapt(now)], ids, using)


def read(ids: Collection[int], token: str, using: str) -> list[ClaimedEntry]:
    """Those of the ids that the claim holds, in the order in which they were recorded."""
    sql = f"SELECT {', '.join(COLUMNS)} FROM {_table(using)} WHERE {_among(ids)} AND claim = %s ORDER BY id"  # noqa: S608
    with connections[using].cursor() as cursor:
        cursor.execute(sql, [token])
        return [ClaimedEntry(*row) for row in cursor.fetchall()]


def mark_sent(ids: Collection[int], token: str, at: datetime, response_status: int | None, using: str) -> int:
    """The vendor has those of the ids that the claim still holds; returns how many these are."""
    moment = connections[using].ops.adapt_datetimefield_value(at)
    becomes = "status = 'sent', claim = NULL, due_at = NULL, sent_at = %s, response_status = %s, reason = ''"
    return _change(becomes, "claim = %s", [moment, response_status, token], ids, using)


def _change(becomes: str, condition: str, parameters: list[Any], ids: Collection[int], using: str) -> int:
    with connections[using].cursor() as cursor:
        cursor.execute(f"UPDATE {_table(using)} SET {becomes} WHERE {_among(ids)} AND {condition}", parameters)  # noqa: S608
        changed: int = cursor.rowcount
    return changed


def _table(using: str) -> str:
    # Quoted: a project may have named it otherwise.
    return connections[using].ops.quote_name(apps.get_model("django_vt", "SendLogEntry")._meta.db_table)


def _among(ids: Collection[int]) -> str:
    # Numbers need no parameters, of which every database takes only so many.
    return f"id IN ({', '.join(map(str, map(int, ids))) or 'NULL'})"
