"""What a worker may take in hand next, and the taking.

Claim first, commit, then send: a worker that dies leaves a lease that runs out, and the entries are due again.
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
# A claim grows from the first to the second while each is worked off within a second.
FIRST_CLAIM, LARGEST_CLAIM = 160, 640
WORKED_OFF_WITHIN = 1_000  # ms
LOOK_BACK = 8  # claims: how far a worker that has collided looks back at random
# What one `id IN (…)` may hold on every database.
MOST_IDS = 900
BROUGHT_BACK_EVERY = 60_000  # ms: what a wrong clock has put off is late by that at most

Address = tuple[str, str]  # an account and an event type, at the endpoint that is configured


@dataclass(frozen=True)
class Claim:
    """Entries in a worker's hands until `until` (ms of the database's clock). `probe`: the token of a probe."""

    token: str
    taken_at: int
    until: int
    entries: Sequence[ClaimedEntry]
    probe: str | None = None


class Claimer:
    """Takes entries for one worker, on one database: of any account, or of one.

    `endpoints` are as they were at the last look, by address.
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
        """Take what is due; None: nothing may be taken.

        `ids`: of these only, and the pause is no obstacle then. `fresh_only`: nothing that has failed. `newer_than`:
        a request's fill of what was recorded after the entry of that id and has not failed, the newest first.
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
        """Whether anything that is due may have been left, as sending to it pauses or is held."""
        return bool(self._closed() or self._held)

    def newest(self) -> int:
        """The id of the entry recorded last; 0: there is none."""
        last = self._entries.order_by("-pk").values_list("pk", flat=True)
        return with_retries(last.first, self.using) or 0

    def worked_off(self, claim: Claim) -> None:
        """A claim has been worked off: the next may be larger if that went quickly."""
        quickly = self.clock.now() - claim.taken_at <= WORKED_OFF_WITHIN
        full = len(claim.entries) >= self._size(None)
        if not quickly:
            self._growth = 1
        elif full and self._size(None) < LARGEST_CLAIM:
            self._growth *= 2

    def expired(self, claim: Claim) -> list[int]:
        """Those of the claim's entries that are older than MAX_AGE lets their type be."""
        oldest = {event_type: self.clock.now() - int(age * 1000) for event_type, age in settings.MAX_AGE.items()}
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
        """How long there is nothing to take, as far as the tables tell; None: nothing is pending."""
        earliest = self._its_entries().earliest_due()
        if earliest is None:
            return None
        if not self._look():
            return LONGEST_SLEEP
        now = self.clock.read()
        # Overdue and yet not taken: another worker was quicker, or has the probe.
        moments = [*self._ends_of_pauses(now), *self._due_elsewhere(earliest)]
        return min([*(max((each - now) / 1000, SHORTEST_SLEEP) for each in moments), LONGEST_SLEEP])

    def _look(self) -> bool:
        """Read how the endpoints are doing; False: staff hold all sending."""
        rows = with_retries(lambda: list(self._rows.all()), self.using)
        self.endpoints = by_address(rows, settings.ENDPOINT)
        accounts = [row for row in rows if row.held_by_staff and not row.event_type]
        # A copy of production's database holds production's events: they are not for the account of these settings.
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
        """Whether nothing of an account may be taken, whatever is due."""
        return account_id in self._held or self._account_id not in {None, account_id}

    def _closed(self) -> list[Address]:
        return [address for address, endpoint in self.endpoints.items() if not endpoint.is_open()]

    def _ends_of_pauses(self, now: int) -> list[int]:
        """When each address that is closed may be tried again, of those that have something pending."""
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
        """When something is next due of what is neither closed nor held."""
        closed = self._closed()
        if not closed and not self._held:
            return [earliest]
        others = self._its_entries().exclude(account_id__in=self._held)
        for account_id, event_type in closed:
            others = others.exclude(account_id=account_id, event_type=event_type)
        due = others.earliest_due()
        return [] if due is None else [due]

    def _size(self, limit: int | None) -> int:
        """As many as their requests are sure to get through in half the lease, and more while that goes quickly."""
        requests = max(1, int(settings.LEASE / 2 // settings.deadline)) * self._concurrency
        first = min(settings.BATCH_SIZE * requests, max(settings.BATCH_SIZE, FIRST_CLAIM))
        size = max(first, min(first * self._growth, LARGEST_CLAIM))
        return size if limit is None else min(size, limit)

    def _take_some(self, ids: Collection[int], size: int) -> Claim | None:
        """The first that are due of many ids, of which no more go into one query than every database takes."""
        ordered = sorted(ids)
        for start in range(0, len(ordered), MOST_IDS):
            part = ordered[start : start + MOST_IDS]
            claim = self._take(Wanted(self.clock.now(), size, size, ids=part, held=self._held))
            if claim is not None:
                return claim
        return None

    def _take_probe(self) -> Claim | None:
        """One entry for an address whose pause is over and whose probe nobody has in hand.

        An entry that is no suspect, if there is one. Suspects take turns: each that has failed goes to the end.
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
        # A suspect may probe before it is due: otherwise nobody would notice the end of an outage for hours.
        latest = now + int(outcome.longest_delay(settings.RETRY_DELAYS) * 1000)
        wanted = Wanted(now, 1, 0, address=address)
        claim = self._take(wanted) or self._take(replace(wanted, now=now, never_failed=0, tried=1, until=latest))
        if claim is None:
            with_retries(lambda: endpoint.give_back_probe(token), self.using)
            return None
        return replace(claim, probe=token)

    def _take(self, wanted: Wanted) -> Claim | None:
        """Claim in one committed step; where another worker was quicker, look further back at random.

        The first look is at the front, always: the oldest entry is somebody's, however many workers there are.
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
            # Nothing so far back: the front once more.
            skip = 0 if skip else random.randint(1, LOOK_BACK) * wanted.never_failed  # noqa: S311

    def _without_strangers(self, taken: Taken) -> list[ClaimedEntry]:
        """Give back what is for an account that the settings do not name; from then on such are not taken."""
        strangers = {entry.pk: entry.account_id for entry in taken.entries if not is_known(entry.account_id)}
        if strangers:
            self._held = {*self._held, *strangers.values()}
            now = self.clock.now()
            with_retries(lambda: self._entries.give_back(strangers, taken.token, now), self.using)
        return [entry for entry in taken.entries if entry.pk not in strangers]

    def _persistently_claimed(self, wanted: Wanted, until: int, skip: int) -> Taken:
        """Claim, and again where the connection was lost: what the lost statement had claimed is found by its token."""
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
