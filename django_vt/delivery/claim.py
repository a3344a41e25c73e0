"""What a worker may take in hand next, and the taking.

Claim first, commit, then send: a worker that dies leaves a lease that runs out, and the entries are due again.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Q
from django.utils import timezone

from django_vt.conf import settings
from django_vt.models import Endpoint, SendLogEntry
from django_vt.models.db import with_retries
from django_vt.models.fast_sql import ClaimedEntry

# Workers that look at the same moment see the same entries; each takes a random run out of so many times its share.
LOOK_AHEAD = 8
SHORTEST_SLEEP, LONGEST_SLEEP = 1.0, 60.0  # seconds
# While a worker takes a claim it settles no answer, and what that answer made room for is not begun.
LARGEST_CLAIM = 160
# What one `id IN (…)` may hold on every database.
MOST_IDS = 900


@dataclass(frozen=True)
class Claim:
    """Entries in a worker's hands until `until`, and the endpoints as they were when it took them."""

    token: str
    until: datetime
    entries: Sequence[ClaimedEntry]
    endpoints: dict[str, Endpoint]
    probe: str | None = None

    def endpoint(self, account_id: str) -> Endpoint:
        """The endpoint of an account; it need not have a row yet."""
        return self.endpoints[account_id]


class Claimer:
    """Takes entries for one worker, on one database."""

    def __init__(self, using: str, concurrency: int = 1) -> None:
        self.using = using
        self._concurrency = concurrency
        self._entries = SendLogEntry.objects.using(using)
        self._endpoints = Endpoint.objects.using(using)

    def take(self, *, ids: Collection[int] | None = None, limit: int | None = None) -> Claim | None:
        """Take what is due, of `ids` only where given (the pause is no obstacle then); None: nothing may be taken."""
        rows = list(self._endpoints.all())
        if any(endpoint.held_by_staff for endpoint in rows):
            return None
        endpoints = _in_use(rows)
        if ids is not None:
            return self._take_due(endpoints, self._size(limit), ids=ids)
        probe = self._take_probe(endpoints)
        if probe is not None or not _may_be_open(endpoints):
            return probe
        closed = [account for account, endpoint in endpoints.items() if not endpoint.is_open()]
        return self._take_due(endpoints, self._size(limit), closed=closed)

    def expired(self, claim: Claim) -> list[int]:
        """Those of the claim's entries that are older than MAX_AGE lets their type be."""
        now = timezone.now()
        too_old = [
            Q(event_type=event_type, created_at__lt=now - timedelta(seconds=age))
            for event_type, age in settings.MAX_AGE.items()
        ]
        if not too_old:
            return []
        ids = [entry.pk for entry in claim.entries if entry.event_type in settings.MAX_AGE]
        old = self._entries.claimed(ids, claim.token).filter(reduce(or_, too_old))
        return list(old.values_list("pk", flat=True))

    def seconds_until_due(self) -> float | None:
        """How long there is nothing to take, as far as the tables tell; None: nothing is pending."""
        earliest = self._entries.earliest_due()
        if earliest is None:
            return None
        rows = list(self._endpoints.all())
        if any(endpoint.held_by_staff for endpoint in rows):
            return LONGEST_SLEEP
        moments = self._moments(_in_use(rows), earliest)
        # Overdue and yet not taken: another worker was quicker, or has the probe.
        seconds = [max((moment - timezone.now()).total_seconds(), SHORTEST_SLEEP) for moment in moments]
        return min([*seconds, LONGEST_SLEEP])

    def _moments(self, endpoints: dict[str, Endpoint], earliest: datetime) -> Iterator[datetime]:
        """When each account has something to take next."""
        ends = {account: end for account, endpoint in endpoints.items() if (end := endpoint.closed_until())}
        if not ends:
            yield earliest
            return
        for account, end in ends.items():
            due = self._entries.filter(account_id=account).earliest_due()
            if due is not None:
                yield max(due, end)
        due = self._entries.exclude(account_id__in=ends).earliest_due() if _may_be_open(endpoints) else None
        if due is not None:
            yield due

    def _size(self, limit: int | None) -> int:
        """As many as their requests, one after another, are sure to get through in half the lease."""
        requests = max(1, int(settings.LEASE / 2 // settings.deadline)) * self._concurrency
        size = min(settings.BATCH_SIZE * requests, max(settings.BATCH_SIZE, LARGEST_CLAIM))
        return size if limit is None else min(size, limit)

    def _take_probe(self, endpoints: dict[str, Endpoint]) -> Claim | None:
        """One entry for an endpoint whose pause is over and whose probe nobody has in hand."""
        now = timezone.now()
        for endpoint in endpoints.values():
            end = endpoint.closed_until()
            chosen = self._choose_probe(endpoint, now) if end is not None and end <= now else []
            token = endpoint.take_probe(settings.LEASE) if chosen else None
            if token is None:
                continue
            claim = self._take_due(endpoints, 1, ids=chosen, probe=token)
            if claim is not None:
                return claim
            endpoint.give_back_probe(token)
        return None

    def _choose_probe(self, endpoint: Endpoint, now: datetime) -> list[int]:
        """Rather another than the entry that opened the pause: that one could be what the vendor stumbles over.

        Where it shared its request nobody knows which one it was, but all of them have a batch limit since: the lower,
        the likelier it is this one.
        """
        due = self._entries.filter(account_id=endpoint.account_id).due(now).order_by("due_at")
        first = due.values_list("pk", "batch_limit")[: 2 * settings.BATCH_SIZE]
        suspicion = {pk: (pk == endpoint.paused_by, limit is not None, -(limit or 0)) for pk, limit in first}
        return sorted(suspicion, key=suspicion.__getitem__)[:1]

    def _take_due(
        self,
        endpoints: dict[str, Endpoint],
        size: int,
        *,
        ids: Collection[int] | None = None,
        closed: Collection[str] = (),
        probe: str | None = None,
    ) -> Claim | None:
        while chosen := self._choose(size, ids, closed):
            until = timezone.now() + timedelta(seconds=settings.LEASE)
            token = self._claim(chosen)
            entries = self._entries.in_hand(chosen, token)
            if entries:
                self._add_missing(endpoints, entries)
                return Claim(token, until, entries, endpoints, probe)
            # Others took them all between the look and the claim.
        return None

    def _claim(self, chosen: Sequence[int]) -> str:
        # Where transactions are REPEATABLE READ or stricter, PostgreSQL refuses it to all but one of those who meet.
        return with_retries(lambda: self._entries.take(chosen, settings.LEASE), self.using)

    def _choose(self, size: int, ids: Collection[int] | None, closed: Collection[str]) -> list[int]:
        if ids is not None:
            return self._choose_of(sorted(ids), size)
        due = self._entries.due(timezone.now()).order_by("due_at")
        if closed:
            due = due.exclude(account_id__in=closed)
        seen = list(due.values_list("pk", flat=True)[: LOOK_AHEAD * size])
        start = random.randint(0, max(0, len(seen) - size))  # noqa: S311
        return seen[start : start + size]

    def _choose_of(self, ids: Sequence[int], size: int) -> list[int]:
        """The first that are due of many ids, of which no more go into one query than every database takes."""
        for start in range(0, len(ids), MOST_IDS):
            due = self._entries.due(timezone.now()).filter(pk__in=ids[start : start + MOST_IDS])
            chosen = list(due.order_by("due_at").values_list("pk", flat=True)[:size])
            if chosen:
                return chosen
        return []

    def _add_missing(self, endpoints: dict[str, Endpoint], entries: Sequence[ClaimedEntry]) -> None:
        for account_id in {entry.account_id for entry in entries} - endpoints.keys():
            endpoints[account_id], _created = self._endpoints.get_or_create(
                account_id=account_id, address=settings.ENDPOINT
            )


def _in_use(rows: Iterable[Endpoint]) -> dict[str, Endpoint]:
    """The endpoints at the address that is configured now, by account."""
    return {endpoint.account_id: endpoint for endpoint in rows if endpoint.address == settings.ENDPOINT}


def _may_be_open(endpoints: dict[str, Endpoint]) -> bool:
    """Whether some account's endpoint may be open; where none is, nobody needs to look through the whole backlog."""
    return settings.ACCOUNT_ID not in endpoints or any(endpoint.is_open() for endpoint in endpoints.values())
