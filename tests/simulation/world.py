"""A world in virtual time: orders come, workers deliver on machines whose clocks may be wrong, a vendor answers.

Only time, the vendor and the order in which workers take their turns are made up. Claims, answers and pauses are the
package's own code on the test's database. A statement takes no time, a request as long as the vendor model says.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from statistics import median
from typing import Any, ClassVar

from django.conf import settings as django_settings
from django.utils.timezone import make_naive

from django_vt.backends.base import Backend
from django_vt.delivery.deliver import Delivery, Places
from django_vt.delivery.run import Run
from django_vt.exceptions import DeliveryError
from django_vt.models import SendLogEntry
from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest
from tests.support.delivering import ACCOUNT, pending

BEGINNING = datetime(2026, 10, 24, 12, 0, tzinfo=timezone.utc)  # the day before summer time ends in Bucharest
LATENCY = 0.03  # seconds that a vendor takes who is well

Answer = Callable[
    [OutgoingRequest, float], "tuple[int, float]"
]  # (request, seconds since the beginning) -> status, takes


@dataclass
class Vendor:
    """What the vendor answers, and what it was sent. `bad`: entries that it stumbles over, with status and seconds."""

    bad: dict[int, tuple[int, float]] = field(default_factory=dict)
    trouble: Answer | None = None
    received: Counter[int] = field(default_factory=Counter)
    accepted_at: dict[int, float] = field(default_factory=dict)
    requests: list[tuple[float, OutgoingRequest, int]] = field(default_factory=list)

    def answer(self, request: OutgoingRequest, now: float) -> tuple[int, float]:
        """The status and the seconds until it is there; a status of 0 is a time-out."""
        status, takes = self.trouble(request, now) if self.trouble else (200, LATENCY)
        if status == 200:
            for pk in request.entry_ids:
                if pk in self.bad:
                    status, takes = self.bad[pk]
                    break
        if status == 200:
            for pk in request.entry_ids:
                self.received[pk] += 1
                self.accepted_at.setdefault(pk, now + takes)
        self.requests.append((now, request, status))
        return status, takes

    def requests_between(self, since: float, until: float) -> int:
        """How many requests came in a time."""
        return sum(since <= at < until for at, _request, _status in self.requests)


class NoBackend(Backend):
    """The places below answer themselves."""

    def send(self, request: OutgoingRequest) -> Reply:
        raise AssertionError("the simulation sends nothing")


class VirtualPlaces(Places):
    """Requests in flight in virtual time: their answers are there when the world's time has come that far."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.ends: dict[Future[Reply | DeliveryError], tuple[float, Reply | DeliveryError]] = {}
        self.waits_until: float | None = None

    def begin(self, send: Any, request: OutgoingRequest) -> Future[Reply | DeliveryError]:
        status, takes = self._world.vendor.answer(request, self._world.now)
        result = Reply(status) if status else DeliveryError("timed out")
        future: Future[Reply | DeliveryError] = Future()
        self.ends[future] = (self._world.now + takes, result)
        return future

    def wait(self, futures: Collection[Future[Reply | DeliveryError]], seconds: float | None) -> None:
        first = min(self.ends[future][0] for future in futures)
        self.waits_until = first if seconds is None else min(first, self._world.now + seconds)

    def arrive(self) -> None:
        """Have the answers be there whose time has come."""
        for future, (end, result) in list(self.ends.items()):
            if end <= self._world.now:
                del self.ends[future]
                future.set_result(result)

    def close(self) -> None:
        """Nothing to close."""


class SimulatedDelivery(Delivery):
    """A delivery that can be killed: it ends then as a process does that gets a SIGKILL."""

    killed = False

    def _end(self, run: Run) -> None:
        if not self.killed:
            super()._end(run)


class SimulatedWorker:
    """One worker: runs passes, and sleeps between them until something is due or an order wakes it."""

    def __init__(self, world: World, concurrency: int = 1, skew: float = 0.0) -> None:
        self._world = world
        self._concurrency = concurrency
        self.skew = skew  # seconds by which its machine's clock is wrong
        self.resumes_at = world.now
        self._begin()

    def _begin(self) -> None:
        self.places = VirtualPlaces(self._world)
        self._delivery = SimulatedDelivery("default", concurrency=self._concurrency, places=self.places)
        self._rounds: Iterator[None] | None = None

    def wake(self) -> None:
        """An order was recorded: look now, unless a pass is under way."""
        if self._rounds is None:
            self.resumes_at = min(self.resumes_at, self._world.now)

    def kill(self) -> None:
        """End without a word, in the middle of a pass; another process begins in its place."""
        self._delivery.killed = True
        if self._rounds is not None:
            self._rounds.close()  # type: ignore[attr-defined]
        self._begin()
        self.resumes_at = self._world.now

    def step(self) -> None:
        """One round of its pass."""
        self.places.arrive()
        if self._rounds is None:
            self._rounds = self._delivery.rounds(Run(None, None, self._concurrency))
        self.places.waits_until = None
        if next(self._rounds, self) is self:
            self._rounds = None
            seconds = self._delivery.seconds_until_due()
            self.resumes_at = self._world.now + (60.0 if seconds is None else seconds)
        else:
            self.resumes_at = self._next_moment()

    def _next_moment(self) -> float:
        """When its round goes on: at once, or when the answer is there for which it waits."""
        ends = [end for end, _result in self.places.ends.values()]
        if self.places.waits_until is not None:
            return max(self.places.waits_until, self._world.now)
        full = len(ends) >= self._concurrency
        return min(ends) if full else self._world.now


@dataclass(order=True)
class Happening:
    """Something that happens at a time."""

    at: float
    number: int
    what: Callable[[], None] = field(compare=False)


class World:
    """Virtual time, and what happens in it. `now`: seconds since the beginning."""

    current: ClassVar[World]

    def __init__(self) -> None:
        self.begin_again()

    def begin_again(self) -> None:
        """As if nothing had happened."""
        self.now = 0.0
        self.vendor = Vendor()
        self.workers: list[SimulatedWorker] = []
        self.database_skew = 0.0
        self.skew = 0.0
        self.arrived_at: dict[int, float] = {}
        self._happenings: list[Happening] = []
        self._steps = 0

    def database_ms(self) -> int:
        """What the database's clock says."""
        moment = BEGINNING + timedelta(seconds=self.now + self.database_skew)
        return round(moment.timestamp() * 1000)

    def machine_now(self) -> datetime:
        """What the clock of the machine says whose turn it is."""
        moment = BEGINNING + timedelta(seconds=self.now + self.skew)
        return moment if django_settings.USE_TZ else make_naive(moment)

    def at(self, seconds: float, what: Callable[[], Any]) -> None:
        """Have something happen at a time."""
        heapq.heappush(self._happenings, Happening(seconds, len(self._happenings) + self._steps, what))

    def order(self, count: int = 1, *, bad: tuple[int, float] | None = None, **columns: Any) -> list[SendLogEntry]:
        """Orders are recorded now; `bad`: what the vendor answers to each, and after how many seconds."""
        entries = pending(count, **{"account_id": ACCOUNT, "event_type": "confirmation", **columns})
        for entry in entries:
            self.arrived_at[entry.pk] = self.now
            if bad is not None:
                self.vendor.bad[entry.pk] = bad
        for worker in self.workers:
            worker.wake()
        return entries

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end = self.now + seconds
        while True:
            moments = [worker.resumes_at for worker in self.workers]
            moments += [happening.at for happening in self._happenings[:1]]
            first = min(moments, default=end)
            if first > end:
                break
            self.now = max(self.now, first)
            self._step()
        self.now = end

    def _step(self) -> None:
        self._steps += 1
        while self._happenings and self._happenings[0].at <= self.now:
            heapq.heappop(self._happenings).what()
        for worker in self.workers:
            if worker.resumes_at <= self.now:
                self.skew = worker.skew
                worker.step()
        self.skew = 0.0

    # What came of it

    def good(self) -> list[int]:
        """The entries that the vendor does not stumble over."""
        return [pk for pk in self.arrived_at if pk not in self.vendor.bad]

    def delays(self, since: float = 0.0) -> list[float]:
        """How long each good order that came after a time has waited; those not through count for ever."""
        late = [pk for pk in self.good() if self.arrived_at[pk] > since]
        return [self.vendor.accepted_at.get(pk, float("inf")) - self.arrived_at[pk] for pk in late]

    def all_good_through_at(self) -> float:
        """When the last of the good ones of the backlog was through."""
        backlog = [pk for pk in self.good() if self.arrived_at[pk] == 0]
        return max(self.vendor.accepted_at.get(pk, float("inf")) for pk in backlog)

    def figures(self) -> str:
        """What the tables of the documentation hold."""
        fresh = self.delays() or [0.0]
        return (
            f"all through {self.all_good_through_at():.0f} s, fresh {median(fresh):.1f} s, {max(fresh):.1f} s, "
            f"{len(self.vendor.requests)} requests"
        )
