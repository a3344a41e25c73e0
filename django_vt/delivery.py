"""Delivery: claim, pack, send, settle. The only caller of a backend."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from types import TracebackType

from django.utils import timezone
from django.utils.module_loading import import_string

from django_vt import reasons
from django_vt.backends.base import Backend
from django_vt.claims import Claim, Claimer
from django_vt.conf import settings
from django_vt.databases import default_alias
from django_vt.exceptions import DeliveryError
from django_vt.models import SendLogEntry
from django_vt.outcome import Reply
from django_vt.packing import OutgoingRequest, Packing
from django_vt.settlement import Settled, Settlement

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
    a transaction: what it claims must be visible to other workers before it sends.
    """
    with Delivery(using or default_alias()) as delivery:
        return delivery.run(ids=ids, limit=limit)


def send_unrecorded(event_type: str, payload: str) -> Reply | DeliveryError:
    """Send one event, now and once, past the send log: nothing is stored, paused or tried again."""
    entry = SendLogEntry(pk=0, account_id=settings.account_id, event_type=event_type, payload=payload)
    [request] = _packing().pack([entry])
    with Delivery(default_alias()) as delivery:
        return delivery.send(request)


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
        self._backend: Backend = import_string(settings.BACKEND)()
        self._pool = ThreadPoolExecutor(concurrency, "django-vt-send") if concurrency > 1 else None
        self._accepted_at: dict[str, datetime] = {}

    def __enter__(self) -> Delivery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        self._backend.close()

    def seconds_until_due(self) -> float | None:
        """How long there is nothing to send; None: nothing is pending, or nothing may be sent (ENABLED is False)."""
        return self._claimer.seconds_until_due() if settings.ENABLED else None

    def run(self, *, ids: Collection[int] | None = None, limit: int | None = None) -> DeliveryReport:
        """Deliver until nothing may be taken; `ids` and `limit` as in `deliver_due`."""
        report = DeliveryReport()
        left, wanted = limit, None if ids is None else set(ids)
        while settings.ENABLED and not self._stopping() and left != 0 and wanted != set():
            claim = self._claimer.take(ids=wanted, limit=left)
            if claim is None:
                break
            worked = self._work_off(claim)
            report += worked.report
            left = None if left is None else left - len(claim.entries)
            if wanted is not None:
                wanted = set() if worked.paused else wanted - worked.dealt_with
        return report

    def _work_off(self, claim: Claim) -> _Worked:
        """Send what was claimed."""
        settlement = Settlement(claim, self._using, self._accepted_at)
        packing = _packing()
        expired = self._claimer.expired(claim)
        worked = _Worked(DeliveryReport(skipped=settlement.skip(expired, reasons.EXPIRED)), set(expired))
        waiting = deque(packing.pack(entry for entry in claim.entries if entry.pk not in worked.dealt_with))
        try:
            for request, begun_at, result in self._exchange(waiting, claim):
                settled = settlement.settle(request, result, begun_at)
                worked.add(request, settled)
                # The rest of a rejected request first: until the one bad entry is found, good ones wait with it.
                waiting.extendleft(reversed(packing.pack(settled.again)))
                if settled.pauses:
                    _give_back(waiting, settlement)
        finally:
            _give_back(waiting, settlement)
            settlement.give_back_probe()
        return worked

    def _exchange(
        self, waiting: deque[OutgoingRequest], claim: Claim
    ) -> Iterator[tuple[OutgoingRequest, datetime, Reply | DeliveryError]]:
        """Send what waits, at most `concurrency` at once; yields each request, when it was begun, what came back."""
        in_flight: dict[Future[Reply | DeliveryError], tuple[OutgoingRequest, datetime]] = {}
        is_first = True
        while True:
            while waiting and len(in_flight) < self._concurrency and self._may_begin(claim, is_first=is_first):
                request, begun_at, is_first = waiting.popleft(), timezone.now(), False
                if self._pool is None:
                    yield request, begun_at, self.send(request)
                else:
                    in_flight[self._pool.submit(self.send, request)] = request, begun_at
            if not in_flight:
                return
            done, _not_done = wait(in_flight, return_when=FIRST_COMPLETED)
            for future in done:
                yield *in_flight.pop(future), future.result()

    def _may_begin(self, claim: Claim, *, is_first: bool) -> bool:
        """Not when stopping, and not when the claim could run out before the answer has come.

        The first is begun in spite of a LEASE that is too short for one: else nothing would ever be sent.
        """
        if self._stopping():
            return False
        return is_first or timezone.now() + timedelta(seconds=settings.deadline) <= claim.until

    def send(self, request: OutgoingRequest) -> Reply | DeliveryError:
        """What came back, or why nothing did; whatever the backend raises."""
        try:
            return self._backend.send(request)
        except DeliveryError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a project may have written it
            # Neither text nor traceback: both can hold the request.
            logger.error("%s raised %s", settings.BACKEND, type(error).__name__)
            return DeliveryError(reasons.reason(reasons.BACKEND_FAILED, type(error).__name__))


@dataclass
class _Worked:
    """What became of a claim: entries that were neither sent nor given back are dealt with as well."""

    report: DeliveryReport
    dealt_with: set[int]
    paused: bool = False

    def add(self, request: OutgoingRequest, settled: Settled) -> None:
        self.report += DeliveryReport(requests=1, sent=settled.sent, retried=settled.retried, failed=settled.failed)
        self.dealt_with |= set(request.entry_ids) - {entry.pk for entry in settled.again}
        self.paused |= settled.pauses


def _packing() -> Packing:
    return Packing(settings.ENDPOINT, settings.CALLBACK, settings.BATCH_SIZE, settings.MAX_URL_LENGTH)


def _give_back(waiting: deque[OutgoingRequest], settlement: Settlement) -> None:
    settlement.give_back([pk for request in waiting for pk in request.entry_ids])
    waiting.clear()
