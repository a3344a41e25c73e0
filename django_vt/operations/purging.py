"""Deleting old rows in many short transactions. It may be stopped at any time, and run again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections, transaction
from django.db.models import Q, QuerySet

from django_vt.models import RememberedIdentity, SendLogEntry, Status
from django_vt.models.send_log import SendLogQuerySet

LONGEST = 0.05  # seconds that a transaction should take at most: an order may have to wait for it
FEWEST = 20  # rows
LONGEST_REST = 1.0

_rest = threading.Event().wait


class Pace:
    """Decides how many rows the next transaction may change: at most `rows`, and fewer if transactions take too long.

    On SQLite only one connection writes at a time, and those that wait look only now and then whether it is their turn.
    So rest after each transaction, as long as it took. Its own wait for the lock is not counted: nobody else waits
    meanwhile, and fewer rows would not shorten it.
    """

    def __init__(self, rows: int, using: str) -> None:
        self._most = rows
        self._rows = rows
        self._using = using
        self._begun = 0.0

    @contextmanager
    def transaction(self) -> Iterator[int]:
        """Enclose one transaction; gives the number of rows that it may change."""
        self._begun = time.monotonic()
        with connections[self._using].execute_wrapper(self._notice_begin):
            yield self._rows
        took = time.monotonic() - self._begun
        if took > LONGEST:
            self._rows = max(min(FEWEST, self._most), self._rows // 2)
        elif took < LONGEST / 3:
            self._rows = min(self._most, self._rows * 2)
        _rest(min(took, LONGEST_REST))

    def _notice_begin(self, execute: Callable[..., Any], sql: str, *others: Any) -> Any:
        """Restart the clock after BEGIN. Only SQLite sends it; BEGIN IMMEDIATE returns once it holds the write lock."""
        result = execute(sql, *others)
        if sql.startswith("BEGIN"):
            self._begun = time.monotonic()
        return result


AT_ONCE = 500  # rows a transaction at most


@dataclass(frozen=True)
class Purged:
    """How many entries, by status, and how many remembered identities were deleted."""

    entries: dict[Status, int]
    remembered: int


def purge(
    using: str, before: datetime, *, failed: bool = False, dry_run: bool = False, account_id: str | None = None
) -> Purged:
    """Delete entries recorded before a moment that were sent or skipped, and with `failed` those that failed.

    Pending entries are never deleted. Remembered identities from before that moment are. With `dry_run`, delete nothing
    and count what would be deleted. `account_id`: only this account's rows.
    """
    statuses = [Status.SENT, Status.SKIPPED, *([Status.FAILED] if failed else [])]
    its = {} if account_id is None else {"account_id": account_id}
    entries = SendLogEntry.objects.using(using).filter(**its)
    remembered = RememberedIdentity.objects.using(using).filter(created_at__lt=before, **its)
    if dry_run:
        old = entries.filter(created_at__lt=before)
        return Purged({status: old.filter(status=status).count() for status in statuses}, remembered.count())
    return Purged({status: _purge_entries(entries, status, before) for status in statuses}, _purge_all(remembered))


def empty_payloads(using: str, before: datetime, *, dry_run: bool = False, account_id: str | None = None) -> int:
    """Empty the payloads of entries sent before a moment; returns how many. With `dry_run` only count them.

    `account_id`: only this account's entries.
    """
    its = {} if account_id is None else {"account_id": account_id}
    payloads = OldPayloads(SendLogEntry.objects.using(using).filter(**its), before)
    return payloads.count() if dry_run else payloads.empty()


def _purge_entries(entries: SendLogQuerySet, status: str, before: datetime) -> int:
    deleted, pace = 0, Pace(AT_ONCE, entries.db)
    while True:
        with pace.transaction() as rows:
            now_deleted = entries.purge(status, before, rows)
        if not now_deleted:
            return deleted
        deleted += now_deleted


def _purge_all(rows: QuerySet[RememberedIdentity]) -> int:
    deleted, pace = 0, Pace(AT_ONCE, rows.db)
    while True:
        with pace.transaction() as most:
            ids = list(rows.order_by("created_at").values_list("pk", flat=True)[:most])
            rows.filter(pk__in=ids).delete()
        if not ids:
            return deleted
        deleted += len(ids)


class OldPayloads:
    """The payloads of entries that were sent before a moment.

    The oldest are emptied first, so emptied rows form a prefix ordered by `sent_at`. Looking back from the moment, find
    where the prefix ends and start there; years of emptied rows before it are not read.
    """

    def __init__(self, entries: SendLogQuerySet, before: datetime) -> None:
        self._entries = entries
        # No filter by status: only sent entries have `sent_at`, and its index alone must serve.
        self._sent = entries.filter(sent_at__lt=before)

    def count(self) -> int:
        """How many payloads are still to be emptied."""
        start = self._start()
        return 0 if start is None else self._full_since(start).count()

    def empty(self) -> int:
        """Empty the payloads in short transactions, which may be stopped and run again. Returns how many."""
        emptied, start, pace = 0, self._start(), Pace(AT_ONCE, self._entries.db)
        while start is not None:
            with pace.transaction() as rows:
                chosen = self._first_since(start, rows)
                with transaction.atomic(using=self._entries.db):
                    emptied += self._entries.empty([pk for pk, _sent_at in chosen])
            start = chosen[-1][1] if chosen else None
        return emptied

    def _start(self) -> datetime | None:
        """A moment at or before the first payload to be emptied; None if nothing was sent that long ago."""
        start, earlier = None, self._sent
        while page := self._last_of(earlier):
            start = page[-1][0]
            if all(is_emptied for _sent_at, is_emptied in page):
                break
            earlier = self._sent.filter(sent_at__lt=start)
        return start

    def _last_of(self, entries: SendLogQuerySet) -> list[tuple[datetime | None, bool]]:
        # An entry without an identity was emptied by forget_shopper, and says nothing about its neighbours.
        flagged = entries.annotate(is_emptied=Q(payload="") & ~Q(identity=""))
        return list(flagged.order_by("-sent_at").values_list("sent_at", "is_emptied")[:AT_ONCE])

    def _first_since(self, start: datetime, rows: int) -> list[tuple[int, datetime | None]]:
        return list(self._full_since(start).order_by("sent_at").values_list("pk", "sent_at")[:rows])

    def _full_since(self, start: datetime) -> SendLogQuerySet:
        return self._sent.filter(sent_at__gte=start).exclude(payload="")
