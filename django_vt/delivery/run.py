"""The state of one run of delivery: its claims, whose turn it is, the requests in flight, and the report.

Each class owns its counters. None of them queries a database.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from django_vt.exceptions import DeliveryError
from django_vt.models.fast_sql import ClaimedEntry
from django_vt.protocol import outcome
from django_vt.protocol.outcome import Kind, Reply, Turn, Verdict
from django_vt.protocol.packing import OutgoingRequest, Packing

if TYPE_CHECKING:
    from django_vt.delivery.claim import Address, Claim

SETTLED_WITHIN = 0.05  # seconds: quick answers are stored together, and none waits longer than this
FRESH_LOOKED_FOR_EVERY = 500  # ms: the longest that a new order waits while suspects are sent


@dataclass(frozen=True)
class DeliveryReport:
    """What a delivery did; reports can be added up.

    `requests` counts the requests made. The others count entries: `sent` were accepted, `retried` will be tried again,
    `failed` will not be tried any more, `skipped` were older than MAX_AGE.
    """

    requests: int = 0
    sent: int = 0
    retried: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: DeliveryReport) -> DeliveryReport:
        return DeliveryReport(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(eq=False)
class Begun:
    """A request that was begun, the `number`th of its run; `verdict` is set once it is answered."""

    held: HeldClaim
    request: OutgoingRequest
    turn: Turn
    number: int
    begun_at: float
    answered_at: float = 0.0
    verdict: Verdict = field(default_factory=lambda: Verdict(Kind.ACCEPTED))

    @property
    def address(self) -> Address:
        """The account and the event type that it was sent for."""
        return self.request.account_id, self.request.event_type


class HeldClaim:
    """A claim that a worker holds: the requests that wait, and how many begun requests are not stored yet."""

    def __init__(self, claim: Claim, packing: Packing, without: Collection[int]) -> None:
        self.claim = claim
        self.entries = {entry.pk: entry for entry in claim.entries if entry.pk not in without}
        self.checked_at = claim.taken_at  # ms of the database's clock: when its token was last seen in the table
        self.unsettled = 0
        self._packing = packing
        kept = self.entries.values()
        self._waiting: dict[Turn, deque[OutgoingRequest]] = {
            Turn.FRESH: deque(packing.pack(entry for entry in kept if not entry.is_suspect)),
            Turn.SUSPECT: deque(),
        }
        self.add_suspects([entry for entry in kept if entry.is_suspect])

    def waits(self, turn: Turn) -> int:
        """How many of its requests of this kind wait."""
        return len(self._waiting[turn])

    @property
    def is_worked_off(self) -> bool:
        """Whether no request of the claim waits, is in flight, or is answered but not stored yet."""
        return not (self.unsettled or any(self._waiting.values()))

    def add_suspects(self, entries: Sequence[ClaimedEntry]) -> None:
        """Queue these too: the largest requests first, as they deliver most; entries that failed alone last."""
        suspects = [*self._waiting[Turn.SUSPECT], *self._packing.pack(entries)]
        self._waiting[Turn.SUSPECT] = deque(sorted(suspects, key=self._promise))

    def _promise(self, request: OutgoingRequest) -> tuple[bool, int]:
        return self.entries[request.entry_ids[0]].waits > 0, -len(request.entry_ids)

    def next(self, turn: Turn) -> OutgoingRequest:
        """Take the next request off."""
        return self._waiting[turn].popleft()

    def alone(self, request: OutgoingRequest) -> OutgoingRequest:
        """A request with the first entry alone; the others go back to the front of the queue."""
        others = [self.entries[pk] for pk in request.entry_ids[1:]]
        self._waiting[Turn.FRESH].extendleft(reversed(self._packing.pack(others)))
        return self._packing.pack([self.entries[request.entry_ids[0]]])[0]

    def only(self, request: OutgoingRequest, ids: Sequence[int]) -> OutgoingRequest | None:
        """The request with only these of its entries; None if `ids` is empty."""
        packed = self._packing.pack([self.entries[pk] for pk in ids])
        return packed[0] if packed else None

    def change(self, pk: int, columns: dict[str, Any]) -> None:
        """Update the entry in memory with the columns that were stored."""
        for name in ("batch_limit", "accepted_before", "accepted_when_rejected"):
            if name in columns:
                setattr(self.entries[pk], name, columns[name])

    def drop(self, address: Address | None = None, only: Turn | None = None) -> list[int]:
        """Remove the waiting requests, of one address or one kind if given; returns the ids of their entries."""
        dropped: list[int] = []
        for turn, requests in self._waiting.items():
            if only not in (None, turn):
                continue
            leaving = [each for each in requests if address in (None, (each.account_id, each.event_type))]
            dropped += [pk for request in leaving for pk in request.entry_ids]
            self._waiting[turn] = deque(request for request in requests if request not in leaving)
        return dropped


@dataclass
class Run:
    """What a run must deliver, and its progress. `left`: at most so many entries; `wanted`: only these, each once."""

    left: int | None
    wanted: set[int] | None
    concurrency: int
    report: DeliveryReport = field(default_factory=DeliveryReport)
    claims: list[HeldClaim] = field(default_factory=list)
    in_flight: dict[Future[Reply | DeliveryError], Begun] = field(default_factory=dict)
    accepted: list[Begun] = field(default_factory=list)
    begun: int = 0
    fresh_since_suspect: int = 0
    asked_in_vain_at: int | None = None
    looked_at: int = 0  # ms: when new orders were looked for last

    def waits(self, turn: Turn) -> int:
        """How many claimed requests of a kind wait to be begun."""
        return sum(held.waits(turn) for held in self.claims)

    def has_place(self) -> bool:
        """Whether another request may be in flight."""
        return len(self.in_flight) < self.concurrency

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, nothing is in flight, and all answers are stored."""
        return not (self.claims or self.in_flight or self.accepted)

    def wants_claim(self, now: int) -> bool:
        """Whether to claim again. After a claim in vain: only when half a second has passed, or all is settled."""
        suspects_wait = self.waits(Turn.SUSPECT) > 0
        if self.left == 0 or self.wanted == set() or (suspects_wait and not self.has_place()):
            return False
        if self.waits(Turn.FRESH) >= self.concurrency or (self.wanted is not None and suspects_wait):
            return False
        if self.asked_in_vain_at is None or self.is_idle:
            return True
        return now - self.asked_in_vain_at >= FRESH_LOOKED_FOR_EVERY

    def wants_newer(self, now: int) -> bool:
        """Whether to look for new orders, which go before a backlog: at most every half second."""
        if self.wanted is not None or self.left == 0 or not self.has_place() or not self.waits(Turn.FRESH):
            return False
        return now - self.looked_at >= FRESH_LOOKED_FOR_EVERY

    def next_turn(self) -> Turn | None:
        """The kind of request that comes next; None if no place is free, or nothing may be sent yet."""
        if not self.has_place():
            return None
        return outcome.next_turn(
            fresh_waits=self.waits(Turn.FRESH) > 0,
            suspects_wait=self.waits(Turn.SUSPECT) > 0,
            suspects_in_flight=sum(begun.turn is Turn.SUSPECT for begun in self.in_flight.values()),
            fresh_since=self.fresh_since_suspect,
            concurrency=self.concurrency,
        )

    def first_with(self, turn: Turn) -> HeldClaim:
        """The first claim that has a waiting request of the kind."""
        return next(held for held in self.claims if held.waits(turn))

    def begins(self, held: HeldClaim, request: OutgoingRequest, turn: Turn, at: float) -> Begun:
        """Count a request that is begun now."""
        self.begun += 1
        self.fresh_since_suspect = 0 if turn is Turn.SUSPECT else self.fresh_since_suspect + 1
        held.unsettled += 1
        return Begun(held, request, turn, self.begun, at)

    def took(self, held: HeldClaim, entries: int, *, first: bool = False) -> None:
        """Add a claim of so many entries; with `first`, it goes before the others."""
        self.claims.insert(0 if first else len(self.claims), held)
        self.left = None if self.left is None else self.left - entries

    def add(self, report: DeliveryReport, dealt_with: Iterable[int]) -> None:
        """Add to the report, and strike the entries that are dealt with, sent or not, off `wanted`."""
        self.report += report
        if self.wanted is not None:
            self.wanted -= set(dealt_with)

    def must_store(self, now: float) -> bool:
        """Whether accepted requests must be stored now: no other answer can come in time to be stored with them."""
        if not self.accepted:
            return False
        if not self.in_flight and not any(self.waits(turn) for turn in Turn):
            return True
        first, last = self.accepted[0], self.accepted[-1]
        return now - first.answered_at + (last.answered_at - last.begun_at) >= SETTLED_WITHIN
