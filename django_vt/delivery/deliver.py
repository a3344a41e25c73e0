"""Delivery: claim, pack, send, settle. The only caller of a backend."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from types import TracebackType

from django.db import connections
from django.utils import timezone
from django.utils.module_loading import import_string

from django_vt.backends.base import Backend
from django_vt.conf import settings
from django_vt.delivery.claim import Claim, Claimer
from django_vt.delivery.settle import Settlement
from django_vt.exceptions import DeliveryError
from django_vt.models import SendLogEntry
from django_vt.models.db import default_alias
from django_vt.protocol import outcome, reasons
from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest, Packing

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DeliveryReport:
    """What a delivery did; reports can be added up.

    `requests` is how many were made. Of the entries, `sent` were accepted, `retried` are to be tried again, `failed`
    are not tried any more, `skipped` were older than MAX_AGE.
    """

    requests: int = 0
    sent: int = 0
    retried: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: DeliveryReport) -> DeliveryReport:
        return DeliveryReport(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def deliver_due(
    *, ids: Collection[int] | None = None, limit: int | None = None, using: str | None = None
) -> DeliveryReport:
    """Send what is due, now and here, until nothing is, or sending pauses or is held.

    `ids`: only these, each tried once and without regard to a pause. `limit`: at most so many entries. `using`: the
    alias of the database, by default the send log's. Does nothing where ENABLED is False. Raises `RuntimeError` inside
    a transaction, or where autocommit is off: what it claims must be visible to other workers before it sends.
    """
    alias = using or default_alias()
    if not (connections[alias].in_atomic_block or connections[alias].get_autocommit()):
        raise RuntimeError("deliver_due needs autocommit: it must commit what it claims before it sends")
    with Delivery(alias) as delivery:
        return delivery.run(ids=ids, limit=limit)


def send_unrecorded(event_type: str, payload: str) -> Reply | DeliveryError:
    """Send one event, now and once, past the send log: nothing is stored, paused or tried again."""
    entry = SendLogEntry(pk=0, account_id=settings.account_id, event_type=event_type, payload=payload)
    [request] = _packing().pack([entry])
    with Delivery(default_alias()) as delivery:
        return delivery.send(request)


def backend_class() -> type[Backend]:
    """The class that BACKEND names; the first time in a process this imports it, and an HTTP library with it."""
    backend: type[Backend] = import_string(settings.BACKEND)
    return backend


class Delivery:
    """One worker's delivery on one database, with up to `concurrency` requests in flight.

    All queries are made by the thread that calls `run`; only backends work in others. `stopping` is asked before
    each request: once true, what was claimed and not begun is given back.
    """

    def __init__(self, using: str, *, concurrency: int = 1, stopping: Callable[[], bool] = lambda: False) -> None:
        self._using = using
        self._concurrency = concurrency
        self._stopping = stopping
        self._claimer = Claimer(using, concurrency)
        self._backend = backend_class()()
        self._pool = ThreadPoolExecutor(concurrency, "django-vt-send") if concurrency > 1 else None
        self._accepted_at: dict[str, datetime] = {}

    def __enter__(self) -> Delivery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for the requests in flight, and close the connections to the vendor."""
        if self._pool is not None:
            self._pool.shutdown()
        self._backend.close()

    @property
    def is_current(self) -> bool:
        """Whether the backend is still the one that BACKEND names."""
        return type(self._backend) is backend_class()

    def seconds_until_due(self) -> float | None:
        """How long there is nothing to send; None: nothing is pending, or nothing may be sent (ENABLED is False)."""
        return self._claimer.seconds_until_due() if settings.ENABLED else None

    def run(self, *, ids: Collection[int] | None = None, limit: int | None = None) -> DeliveryReport:
        """Deliver until nothing may be taken; `ids` and `limit` as in `deliver_due`.

        The next claim is taken as soon as what waits would not fill the places of what is in flight, so that a vendor
        who is far away is never waited for with fewer requests than allowed.
        """
        errand = _Errand(limit, None if ids is None else set(ids))
        try:
            while True:
                self._begin_what_waits(errand)
                answered = next((future for future in errand.in_flight if future.done()), None)
                if answered is not None:
                    self._settle(errand, answered)
                elif errand.waiting() < self._concurrency and self._take(errand):
                    continue
                elif errand.in_flight:
                    wait(errand.in_flight, return_when=FIRST_COMPLETED)
                else:
                    return errand.report
        finally:
            for hand in errand.hands:
                hand.give_back()
                hand.settlement.give_back_probe()

    def _take(self, errand: _Errand) -> bool:
        """Take another claim in hand, where there is one."""
        if not (settings.ENABLED and not self._stopping() and errand.wants_more()):
            return False
        claim = self._claimer.take(ids=errand.wanted, limit=errand.left)
        errand.asked_in_vain = claim is None
        if claim is None:
            return False
        hand = _Hand(claim, Settlement(claim, self._using, self._accepted_at))
        errand.hands.append(hand)
        errand.took(len(claim.entries))
        expired = set(self._claimer.expired(claim))
        errand.add(DeliveryReport(skipped=hand.settlement.skip(expired, reasons.EXPIRED)), expired)
        hand.waiting.extend(_packing().pack(entry for entry in claim.entries if entry.pk not in expired))
        self._put_down(errand, hand)
        return True

    def _begin_what_waits(self, errand: _Errand) -> None:
        """Send what waits, the first claim's first, at most `concurrency` requests at once."""
        for hand in list(errand.hands):
            while hand.waiting and len(errand.in_flight) < self._concurrency:
                if not self._may_begin(hand):
                    hand.give_back()
                    break
                request, begun_at = hand.waiting.popleft(), timezone.now()
                hand.in_flight, hand.is_begun = hand.in_flight + 1, True
                errand.in_flight[self._begin(request)] = hand, request, begun_at
            self._put_down(errand, hand)

    def _may_begin(self, hand: _Hand) -> bool:
        """Not when stopping, and not when the claim could run out before the answer has come.

        The first is begun in spite of a LEASE that is too short for one: else nothing would ever be sent.
        """
        if self._stopping():
            return False
        return not hand.is_begun or timezone.now() + timedelta(seconds=settings.deadline) <= hand.claim.until

    def _begin(self, request: OutgoingRequest) -> Future[Reply | DeliveryError]:
        if self._pool is not None:
            return self._pool.submit(self.send, request)
        future: Future[Reply | DeliveryError] = Future()
        future.set_result(self.send(request))
        return future

    def _settle(self, errand: _Errand, answered: Future[Reply | DeliveryError]) -> None:
        hand, request, begun_at = errand.in_flight.pop(answered)
        hand.in_flight -= 1
        settled = hand.settlement.settle(request, answered.result(), begun_at)
        report = DeliveryReport(requests=1, sent=settled.sent, retried=settled.retried, failed=settled.failed)
        errand.add(report, set(request.entry_ids) - {entry.pk for entry in settled.again})
        # The rest of a rejected request first: until the one bad entry is found, good ones wait with it.
        hand.waiting.extendleft(reversed(_packing().pack(settled.again)))
        if settled.pauses:
            errand.pause()
        self._put_down(errand, hand)

    def _put_down(self, errand: _Errand, hand: _Hand) -> None:
        """Let go of a claim that is worked off."""
        if not hand.waiting and not hand.in_flight and hand in errand.hands:
            errand.hands.remove(hand)
            hand.settlement.give_back_probe()

    def send(self, request: OutgoingRequest) -> Reply | DeliveryError:
        """What came back, or why nothing did; whatever the backend raises or gives."""
        try:
            return outcome.checked(self._backend.send(request))
        except DeliveryError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a project may have written it
            # Neither text nor traceback: both can hold the request.
            logger.error("%s raised %s", settings.BACKEND, type(error).__name__)
            return DeliveryError(reasons.reason(reasons.BACKEND_FAILED, type(error).__name__))


@dataclass(eq=False)
class _Hand:
    """A claim in hand: what of it waits to be sent, and how many of its requests are on their way."""

    claim: Claim
    settlement: Settlement
    waiting: deque[OutgoingRequest] = field(default_factory=deque)
    in_flight: int = 0
    is_begun: bool = False

    def give_back(self) -> None:
        """What was not begun is for others."""
        self.settlement.give_back([pk for request in self.waiting for pk in request.entry_ids])
        self.waiting.clear()


@dataclass
class _Errand:
    """What a run is to deliver, and how far it is. `left`: entries at most; `wanted`: only these, each tried once."""

    left: int | None
    wanted: set[int] | None
    report: DeliveryReport = DeliveryReport()
    hands: list[_Hand] = field(default_factory=list)
    in_flight: dict[Future[Reply | DeliveryError], tuple[_Hand, OutgoingRequest, datetime]] = field(
        default_factory=dict
    )
    asked_in_vain: bool = False

    def waiting(self) -> int:
        """How many requests were taken and wait to be begun."""
        return sum(len(hand.waiting) for hand in self.hands)

    def wants_more(self) -> bool:
        """Whether to ask for another claim; in vain once, again only when all that was in flight is settled."""
        if self.asked_in_vain and self.in_flight:
            return False
        return self.left != 0 and self.wanted != set()

    def took(self, entries: int) -> None:
        """So many more are in hand."""
        self.left = None if self.left is None else self.left - entries

    def add(self, report: DeliveryReport, dealt_with: Collection[int]) -> None:
        """Entries that were neither sent nor given back are dealt with as well."""
        self.report += report
        if self.wanted is not None:
            self.wanted -= set(dealt_with)

    def pause(self) -> None:
        """Sending pauses: what waits, of whatever claim, is given back; of `wanted` no more is tried."""
        for hand in self.hands:
            hand.give_back()
        if self.wanted is not None:
            self.wanted = set()


def _packing() -> Packing:
    return Packing(settings.ENDPOINT, settings.CALLBACK, settings.BATCH_SIZE, settings.MAX_URL_LENGTH)
