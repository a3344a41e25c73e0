"""Choosing the entries that a worker may send next, and claiming them.

Claim first, commit, then send: if a worker dies, its lease runs out, and the entries are due again.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django_vt.accounts import is_known
from django_vt.conf import settings
from django_vt.delivery.clock import Clock
from django_vt.models import Endpoint, SendLogEntry
from django_vt.models.db import with_retries
from django_vt.models.endpoint import by_address
from django_vt.models.fast_sql import ClaimedEntry, Taken, Wanted
from django_vt.models.functions import latest_milliseconds
from django_vt.models.send_log import SendLogQuerySet
from django_vt.protocol import outcome

SHORTEST_SLEEP, LONGEST_SLEEP = 1.0, 60.0  # seconds
# Claims grow from the first size to the second as long as the worker finishes each within WORKED_OFF_WITHIN.
FIRST_CLAIM, LARGEST_CLAIM = 160, 640
WORKED_OFF_WITHIN = 1_000  # ms
LOOK_BACK = 8  # claims: a worker that collided with another skips a random number of claims, up to this many
# Every database accepts this many ids in one `id IN (…)`.
MOST_IDS = 900
BROUGHT_BACK_EVERY = 60_000  # ms: the longest that an entry stays late because a wrong clock put it off

Address = tuple[str, str]  # an account and an event type, at the endpoint that is configured


@dataclass(frozen=True)
class Claim:
    """Entries leased to a worker until `until` (ms of the database's clock). `probe`: the token, if this is a probe."""

    token: str
    taken_at: int
    until: int
    entries: Sequence[ClaimedEntry]
    probe: str | None = None


class Claimer:
    """Claims entries for one worker on one database, for all accounts or for one.

    `endpoints` maps each address to its row as last read.
    """

    def __init__(
        self, using: str, concurrency: int = 1, clock: Clock | None = None, *, account_id: str | None = None
    ) -> None:
        self.using = using
        self.clock = clock or Clock(using)
        self.endpoints: dict[Address, Endpoint] = {}
        self._concurrency = concurrency
        self._account_id = account_id
        self._entries = SendLogEntry.objects.using(using)
        self._rows = Endpoint.objects.using(using)
        self._held: Collection[str] = ()
        self._growth = 1
        self._brought_back_at: int | None = None

    def take(
        self, *, ids: Collection[int] | None = None, limit: int | None = None, fresh_only: bool = False,
        newer_than: int | None = None,
    ) -> Claim | None:  # fmt: skip
        """Claim entries that are due; None if nothing may be claimed.

        `ids`: claim only these, even if sending to their address is paused. `fresh_only`: claim no entry that has
        failed. `newer_than`: claim at most one request's worth of entries that have not failed and were recorded after
        the entry with this id, the newest first.
        """
        if not self._look():
            return None
        self._bring_back()
        if ids is not None:
            return self._take_some(ids, self._size(limit))
        if newer_than is not None:
            size = min(self._size(limit), settings.BATCH_SIZE)
            return self._take(self._wanted(size, 0, newer_than=newer_than))
        probe = self._take_probe()
        if probe is not None:
            return probe
        size = self._size(limit)
        tried = 0 if fresh_only else min(size, settings.BATCH_SIZE)
        return self._take(self._wanted(size, tried))

    @property
    def is_any_closed(self) -> bool:
        """Whether entries that are due may have been left because their sending is paused or held."""
        return bool(self._closed() or self._held)

    def newest(self) -> int:
        """The id of the entry recorded last; 0 if there is none."""
        last = self._entries.order_by("-pk").values_list("pk", flat=True)
        return with_retries(last.first, self.using) or 0

    def worked_off(self, claim: Claim) -> None:
        """Note that a claim is finished; the next may be larger if this one was full and went quickly."""
        quickly = self.clock.now() - claim.taken_at <= WORKED_OFF_WITHIN
        full = len(claim.entries) >= self._size(None)
        if not quickly:
            self._growth = 1
        elif full and self._size(None) < LARGEST_CLAIM:
            self._growth *= 2

    def expired(self, claim: Claim) -> list[int]:
        """Those of the claim's entries that are older than MAX_AGE lets their type be."""
        now = self.clock.now()
        oldest = {event_type: now - int(age * 1000) for event_type, age in settings.MAX_AGE.items()}
        ids = [entry.pk for entry in claim.entries if entry.event_type in oldest]
        if not ids:
            return []
        recorded = self._entries.claimed(ids, claim.token).values_list("pk", "event_type", "created_at")
        # Compared here: without USE_TZ the column is local time, an hour of which summer time skips or repeats.
        return [
            pk for pk, event_type, at in with_retries(lambda: list(recorded), self.using)
            if latest_milliseconds(at) < oldest[event_type]
        ]  # fmt: skip

    def seconds_until_due(self) -> float | None:
        """Seconds until the next entry may be claimed, as far as the tables tell; None if nothing is pending."""
        earliest = self._its_entries().earliest_due()
        if earliest is None:
            return None
        if not self._look():
            return LONGEST_SLEEP
        now = self.clock.read()
        # A moment may be past although nothing was claimed: another worker was quicker, or has the probe.
        moments = [*self._ends_of_pauses(now), *self._due_elsewhere(earliest)]
        return min([*(max((each - now) / 1000, SHORTEST_SLEEP) for each in moments), LONGEST_SLEEP])

    def _look(self) -> bool:
        """Read the endpoints' state; False if staff hold all sending."""
        rows = with_retries(lambda: list(self._rows.all()), self.using)
        self.endpoints = by_address(rows, settings.ENDPOINT)
        accounts = [row for row in rows if row.held_by_staff and not row.event_type]
        # A copy of production's database holds production's events: do not send them to the account set here.
        strangers = {row.account_id for row in rows if not is_known(row.account_id)} - {""}
        self._held = strangers.union(row.account_id for row in accounts if row.account_id)
        return all(row.account_id for row in accounts)

    def _bring_back(self) -> None:
        now = self.clock.now()
        if self._brought_back_at is not None and 0 <= now - self._brought_back_at < BROUGHT_BACK_EVERY:
            return
        self._brought_back_at = now
        longest = outcome.longest_delay(settings.RETRY_DELAYS)
        with_retries(lambda: self._entries.bring_back(now, longest), self.using)

    def _wanted(self, never_failed: int, tried: int, **further: Any) -> Wanted:
        further = {"closed": self._closed(), "held": self._held, "account_id": self._account_id, **further}
        return Wanted(self.clock.now(), never_failed, tried, **further)

    def _its_entries(self) -> SendLogQuerySet:
        return self._entries.all() if self._account_id is None else self._entries.filter(account_id=self._account_id)

    def _leaves(self, account_id: str) -> bool:
        """Whether this worker must leave all entries of the account."""
        return account_id in self._held or self._account_id not in {None, account_id}

    def _closed(self) -> list[Address]:
        return [address for address, endpoint in self.endpoints.items() if not endpoint.is_open()]

    def _ends_of_pauses(self, now: int) -> list[int]:
        """When each closed address with pending entries may be tried again."""
        ends = {
            address: end
            for address, endpoint in self.endpoints.items()
            if (end := endpoint.closed_until(now, settings.LEASE)) is not None and not self._leaves(address[0])
        }
        pending = self._entries.filter(due_at__isnull=False)
        return [
            end for (account_id, event_type), end in ends.items()
            if pending.filter(account_id=account_id, event_type=event_type).exists()
        ]  # fmt: skip

    def _due_elsewhere(self, earliest: int) -> list[int]:
        """When the next entry of an address that is neither closed nor held is due."""
        closed = self._closed()
        if not closed and not self._held:
            return [earliest]
        others = self._its_entries().exclude(account_id__in=self._held)
        for account_id, event_type in closed:
            others = others.exclude(account_id=account_id, event_type=event_type)
        due = others.earliest_due()
        return [] if due is None else [due]

    def _size(self, limit: int | None) -> int:
        """The size of a claim: what half the lease suffices for if all requests time out; more while work is quick."""
        requests = max(1, int(settings.LEASE / 2 // settings.deadline)) * self._concurrency
        first = min(settings.BATCH_SIZE * requests, max(settings.BATCH_SIZE, FIRST_CLAIM))
        size = max(first, min(first * self._growth, LARGEST_CLAIM))
        return size if limit is None else min(size, limit)

    def _take_some(self, ids: Collection[int], size: int) -> Claim | None:
        """Claim the first of the ids that are due, asking for at most MOST_IDS in one query."""
        ordered = sorted(ids)
        for start in range(0, len(ordered), MOST_IDS):
            part = ordered[start : start + MOST_IDS]
            claim = self._take(Wanted(self.clock.now(), size, size, ids=part, held=self._held))
            if claim is not None:
                return claim
        return None

    def _take_probe(self) -> Claim | None:
        """Claim one entry as the probe of an address whose pause is over, if no other worker has that probe.

        An entry that is no suspect comes first, if there is one. Suspects take turns: one that fails goes to the end.
        """
        for address, endpoint in self.endpoints.items():
            now = self.clock.now()
            end = endpoint.closed_until(now, settings.LEASE)
            if end is None or end > now or self._leaves(address[0]):
                continue
            claim = self._probe(address, endpoint, now)
            if claim is not None:
                return claim
        return None

    def _probe(self, address: Address, endpoint: Endpoint, now: int) -> Claim | None:
        token = with_retries(lambda: endpoint.take_probe(now, settings.LEASE), self.using)
        if token is None:
            return None
        # Suspects may probe before they are due: they may wait for hours, and the end of an outage would go unnoticed.
        latest = now + int(outcome.longest_delay(settings.RETRY_DELAYS) * 1000)
        wanted = Wanted(now, 1, 0, address=address)
        claim = self._take(wanted) or self._take(replace(wanted, now=now, never_failed=0, tried=1, until=latest))
        if claim is None:
            with_retries(lambda: endpoint.give_back_probe(token), self.using)
            return None
        return replace(claim, probe=token)

    def _take(self, wanted: Wanted) -> Claim | None:
        """Claim in one committed step; if another worker was quicker, look a random number of entries further back.

        The first look is always at the front, so that some worker takes the oldest entry, however many there are.
        """
        skip = 0
        while True:
            taken_at = self.clock.now()
            until = taken_at + int(settings.LEASE * 1000)
            taken = self._persistently_claimed(wanted, until, skip)
            if taken.entries:
                self._add_missing(taken.entries)
                entries = self._without_strangers(taken)
                if entries:
                    return Claim(taken.token, taken_at, until, entries)
                wanted = replace(wanted, held=self._held)
                continue
            if not (taken.collided or skip):
                return None
            # If nothing was found that far back, look at the front once more.
            skip = 0 if skip else random.randint(1, LOOK_BACK) * wanted.never_failed  # noqa: S311

    def _without_strangers(self, taken: Taken) -> list[ClaimedEntry]:
        """Give back entries for accounts that the settings do not name, and stop claiming for these accounts."""
        strangers = {entry.pk: entry.account_id for entry in taken.entries if not is_known(entry.account_id)}
        if strangers:
            self._held = {*self._held, *strangers.values()}
            now = self.clock.now()
            with_retries(lambda: self._entries.give_back(strangers, taken.token, now), self.using)
        return [entry for entry in taken.entries if entry.pk not in strangers]

    def _persistently_claimed(self, wanted: Wanted, until: int, skip: int) -> Taken:
        """Claim, and again if the connection was lost: then first read, by token, what the lost statement claimed."""
        token, again = secrets.token_hex(16), False

        def claim() -> Taken:
            nonlocal again
            if again and (held := self._entries.held_by(token, until)).entries:
                return held
            again = True
            return self._entries.take(wanted, token, until, skip=skip)

        return with_retries(claim, self.using)

    def _add_missing(self, entries: Sequence[ClaimedEntry]) -> None:
        for account_id, event_type in {(entry.account_id, entry.event_type) for entry in entries}:
            if (account_id, event_type) not in self.endpoints:
                made = partial(self._rows.row_of, account_id, event_type, settings.ENDPOINT)
                self.endpoints[account_id, event_type] = with_retries(made, self.using)
