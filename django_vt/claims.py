"""What a worker may take in hand next, and the taking.

Claim first, commit, then send: a worker that dies leaves a lease that runs out, and the entries are due again.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from django_vt.conf import settings
from django_vt.models import Endpoint, SendLogEntry

# Workers that look at the same moment see the same entries; each takes a random run out of so many times its share.
LOOK_AHEAD = 8
SHORTEST_SLEEP, LONGEST_SLEEP = 1.0, 60.0  # seconds
# What one `id IN (…)` may hold on every database.
LARGEST_CLAIM = 900


@dataclass(frozen=True)
class Claim:
    """Entries in a worker's hands until `until`, and the endpoints as they were when it took them."""

    token: str
    until: datetime
    entries: Sequence[SendLogEntry]
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
        endpoints = {endpoint.account_id: endpoint for endpoint in rows if endpoint.address == settings.ENDPOINT}
        if ids is None:
            probe = self._take_probe(endpoints)
            if probe is not None:
                return probe
        closed = [account for account, endpoint in endpoints.items() if not endpoint.is_open()] if ids is None else []
        return self._take_due(endpoints, self._size(limit), ids=ids, closed=closed)

    def seconds_until_due(self) -> float | None:
        """How long there is nothing to take, as far as the tables tell; None: nothing is pending."""
        now, earliest = timezone.now(), self._entries.earliest_due()
        if earliest is None:
            return None
        rows = list(self._endpoints.all())
        if any(endpoint.held_by_staff for endpoint in rows):
            return LONGEST_SLEEP
        ends = [end for endpoint in rows if (end := endpoint.closed_until()) is not None]
        moment = max(earliest, min(ends)) if ends else earliest
        # Overdue and yet not taken: another worker was quicker, or has the probe.
        return min(max((moment - now).total_seconds(), SHORTEST_SLEEP), LONGEST_SLEEP)

    def _size(self, limit: int | None) -> int:
        """As many as their requests, one after another, are sure to get through in half the lease."""
        requests = max(1, int(settings.LEASE / 2 // settings.deadline)) * self._concurrency
        size = min(settings.BATCH_SIZE * requests, LARGEST_CLAIM)
        return size if limit is None else min(size, limit)

    def _take_probe(self, endpoints: dict[str, Endpoint]) -> Claim | None:
        """One entry for an endpoint whose pause is over; rather another than the one that opened the pause."""
        now = timezone.now()
        for endpoint in endpoints.values():
            if endpoint.is_open() or endpoint.is_paused(now):
                continue
            token = endpoint.take_probe(settings.LEASE)
            if token is None:
                continue
            entries = self._entries.filter(account_id=endpoint.account_id)
            others = list(
                entries.exclude(pk=endpoint.paused_by).due(now).order_by("due_at")[:1].values_list("pk", flat=True)
            )
            ids = others or [endpoint.paused_by] * bool(endpoint.paused_by)
            claim = self._take_due(endpoints, 1, ids=ids, probe=token)
            if claim is not None:
                return claim
            endpoint.give_back_probe(token)
        return None

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
            token = self._entries.take(chosen, settings.LEASE)
            entries = list(self._entries.claimed(chosen, token).order_by("pk"))
            if entries:
                self._add_missing(endpoints, entries)
                return Claim(token, until, entries, endpoints, probe)
            # Others took them all between the look and the claim.
        return None

    def _choose(self, size: int, ids: Collection[int] | None, closed: Collection[str]) -> list[int]:
        due = self._entries.due(timezone.now()).order_by("due_at")
        if ids is not None:
            due = due.filter(pk__in=list(ids)[:LARGEST_CLAIM])
        if closed:
            due = due.exclude(account_id__in=closed)
        seen = list(due.values_list("pk", flat=True)[: LOOK_AHEAD * size])
        start = random.randint(0, max(0, len(seen) - size))  # noqa: S311
        return seen[start : start + size]

    def _add_missing(self, endpoints: dict[str, Endpoint], entries: Sequence[SendLogEntry]) -> None:
        for account_id in {entry.account_id for entry in entries} - endpoints.keys():
            endpoints[account_id], _created = self._endpoints.get_or_create(
                account_id=account_id, address=settings.ENDPOINT
            )
