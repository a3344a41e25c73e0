"""Delivery: claim, pack, send, settle. The only caller of a backend."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType

from django.db import connections
from django.utils.module_loading import import_string

from django_vt.backends.base import Backend
from django_vt.conf import settings
from django_vt.delivery import clock
from django_vt.delivery.claim import Address, Claim, Claimer
from django_vt.delivery.run import SETTLED_WITHIN, Begun, DeliveryReport, HeldClaim, Run
from django_vt.delivery.settle import Settlement
from django_vt.discretion import discreetly
from django_vt.exceptions import DeliveryError
from django_vt.models import SendLogEntry
from django_vt.models.db import default_alias
from django_vt.models.functions import utc
from django_vt.protocol import outcome, reasons
from django_vt.protocol.outcome import Kind, Reply, Turn
from django_vt.protocol.packing import OutgoingRequest, Packing

logger = logging.getLogger(__name__)

# ms: for so long a claim's token, once seen in the table, is taken to be there still when a request is begun.
TOKEN_SEEN_FOR = 1_000
LOOK_AGAIN_WITHIN = 0.5  # seconds: how long a new order waits while a place is free and other requests are in flight


@discreetly
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


@discreetly
def send_unrecorded(account_id: str, event_type: str, payload: str) -> Reply | DeliveryError:
    """Send one event, now and once, past the send log: nothing is stored, paused or tried again."""
    entry = SendLogEntry(pk=0, account_id=account_id, event_type=event_type, payload=payload)
    [request] = _packing().pack([entry])
    with Delivery(default_alias()) as delivery:
        return delivery.send(request)


def backend_class() -> type[Backend]:
    """The class that BACKEND names; the first time in a process this imports it, and an HTTP library with it."""
    backend: type[Backend] = import_string(settings.BACKEND)
    return backend


class Places:
    """Where requests are in flight: in this thread, one after another, or in as many others as may be at once."""

    def __init__(self, concurrency: int) -> None:
        self._pool = ThreadPoolExecutor(concurrency, "django-vt-send") if concurrency > 1 else None

    def begin(
        self, send: Callable[[OutgoingRequest], Reply | DeliveryError], request: OutgoingRequest
    ) -> Future[Reply | DeliveryError]:
        """Begin a request; in one place it has ended when this returns."""
        if self._pool is not None:
            return self._pool.submit(send, request)
        future: Future[Reply | DeliveryError] = Future()
        future.set_result(send(request))
        return future

    def wait(self, futures: Collection[Future[Reply | DeliveryError]], seconds: float | None) -> None:
        """Until one of them has ended, or so many seconds have passed."""
        wait(futures, seconds, FIRST_COMPLETED)

    def close(self) -> None:
        """Wait for what is in flight."""
        if self._pool is not None:
            self._pool.shutdown()


class Delivery:
    """One worker's delivery on one database, with up to `concurrency` requests in flight.

    All queries are made by the thread that calls `run`; only backends work in others. `stopping` is asked before
    each request: once true, what was claimed and not begun is given back. `account_id`: only the events of that one.
    """

    def __init__(
        self,
        using: str,
        *,
        concurrency: int = 1,
        stopping: Callable[[], bool] = lambda: False,
        places: Places | None = None,
        account_id: str | None = None,
    ) -> None:
        self._concurrency = concurrency
        self._stopping = stopping
        self._claimer = Claimer(using, concurrency, account_id=account_id)
        self._clock = self._claimer.clock
        self._backend = backend_class()()
        kept_by = "" if self._backend.sends else type(self._backend).__name__
        self._settlement = Settlement(self._claimer, kept_by)
        self._places = places or Places(concurrency)
        # The id of the entry recorded last when a backlog was found. Later ones go first until it is worked off.
        self._backlog_ends: int | None = None

    def __enter__(self) -> Delivery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for the requests in flight, and close the connections to the vendor."""
        self._places.close()
        self._backend.close()

    @property
    def is_current(self) -> bool:
        """Whether the backend is still the one that BACKEND names."""
        return type(self._backend) is backend_class()

    def seconds_until_due(self) -> float | None:
        """How long there is nothing to send; None: nothing is pending, or nothing may be sent (ENABLED is False)."""
        return self._claimer.seconds_until_due() if settings.ENABLED else None

    def run(self, *, ids: Collection[int] | None = None, limit: int | None = None) -> DeliveryReport:
        """Deliver until nothing may be taken; `ids` and `limit` as in `deliver_due`."""
        run = Run(limit, None if ids is None else set(ids), self._concurrency)
        for _round in self.rounds(run):
            pass
        return run.report

    def rounds(self, run: Run) -> Iterator[None]:
        """Deliver; yields after each round of claim, pack, send and settle."""
        self._clock.read()
        self._settlement.begin_run()
        try:
            goes_on = True
            while goes_on:
                was_idle = run.is_idle
                claimed = self._claim(run)
                while begun := self._pack(run):
                    self._send(run, begun)
                self._settle(run, may_wait=not claimed)
                # Only a round that began with nothing in hand shows that there is nothing to claim.
                goes_on = claimed or not (was_idle and run.is_idle)
                yield
        finally:
            self._end(run)

    # Claim

    def _claim(self, run: Run) -> bool:
        """Take another claim in hand if what waits does not fill the places; False: none was taken."""
        if not settings.ENABLED or self._stopping():
            return False
        if run.wants_newer(self._clock.now()):
            return self._claim_newer(run)
        if not run.wants_claim(self._clock.now()):
            return False
        fresh_only = run.waits(Turn.SUSPECT) > 0
        claim = self._claimer.take(ids=run.wanted, limit=run.left, fresh_only=fresh_only)
        run.asked_in_vain_at = self._clock.now() if claim is None or fresh_only else None
        if claim is None and not fresh_only and not self._claimer.is_any_closed:
            self._backlog_ends = None
        return claim is not None and self._take_in_hand(run, claim)

    def _claim_newer(self, run: Run) -> bool:
        """Take new orders in hand, which go before a backlog: it must not hold them up, whatever is in it."""
        run.looked_at = self._clock.now()
        if self._backlog_ends is None:
            self._backlog_ends = self._claimer.newest()
            return False
        claim = self._claimer.take(limit=run.left, newer_than=self._backlog_ends)
        return claim is not None and self._take_in_hand(run, claim, first=True)

    def _take_in_hand(self, run: Run, claim: Claim, *, first: bool = False) -> bool:
        expired = set(self._claimer.expired(claim))
        held = HeldClaim(claim, _packing(), expired)
        run.took(held, len(claim.entries), first=first)
        run.add(DeliveryReport(skipped=self._settlement.skip(claim, expired, reasons.EXPIRED)), expired)
        self._put_down(run, held)
        return True

    # Pack

    def _pack(self, run: Run) -> Begun | None:
        """The next request, if there is one whose turn it is and that may be begun."""
        while (turn := run.next_turn()) is not None:
            held = run.first_with(turn)
            if self._stopping() or not self._has_time(held):
                self._give_back(run, held)
                continue
            request = self._checked(held, self._request(held, turn))
            if request is not None:
                return run.begins(held, request, turn, clock.elapsed())
            self._put_down(run, held)
        return None

    def _has_time(self, held: HeldClaim) -> bool:
        """Whether the answer is sure to come within the lease; with a LEASE too short for any, whether it lasts."""
        margin = min(settings.deadline, settings.LEASE / 2)
        return self._clock.now() + int(margin * 1000) <= held.claim.until

    def _request(self, held: HeldClaim, turn: Turn) -> OutgoingRequest:
        """The next of its kind. After a failure an entry goes alone: one is enough to learn whose fault it was."""
        request = held.next(turn)
        endpoint = self._claimer.endpoints[request.account_id, request.event_type]
        if turn is Turn.FRESH and request.shared and endpoint.failures_in_row:
            return held.alone(request)
        return request

    def _checked(self, held: HeldClaim, request: OutgoingRequest) -> OutgoingRequest | None:
        """The request without what the claim has lost: taken over while this process was frozen, or forgotten."""
        now = self._clock.now()
        if now - held.checked_at < TOKEN_SEEN_FOR:
            return request
        ids = self._settlement.still_held(held.claim, request.entry_ids)
        held.checked_at = now
        return request if len(ids) == len(request.entry_ids) else held.only(request, ids)

    # Send

    def _send(self, run: Run, begun: Begun) -> None:
        future = self._places.begin(self.send, begun.request)
        run.in_flight[future] = begun

    def send(self, request: OutgoingRequest) -> Reply | DeliveryError:
        """What came back, or why nothing did; whatever the backend raises or gives."""
        try:
            return self._answer_to(request)
        except (Exception, CancelledError) as error:  # noqa: BLE001 - a project may have written it
            # Neither text nor traceback: both can hold the request. asyncio's error, which is no `Exception`, comes of
            # an async client that has cancelled itself: it must not end the worker.
            logger.error("%s raised %s", settings.BACKEND, type(error).__name__)
            return DeliveryError(reasons.reason(reasons.BACKEND_FAILED, type(error).__name__))

    def _answer_to(self, request: OutgoingRequest) -> Reply | DeliveryError:
        try:
            return outcome.checked(self._backend.send(request))
        except DeliveryError as error:
            # Another: a class of the project's own may have no reason, and its traceback holds the request.
            return DeliveryError(reasons.safe(error.reason))

    # Settle

    def _settle(self, run: Run, *, may_wait: bool) -> None:
        """Store what was answered: what was accepted together, within 50 ms, and all else at once.

        `may_wait`: wait for an answer if none is there. Before that, what fills the places next must be in hand.
        """
        answered = [future for future in run.in_flight if future.done()]
        if may_wait and not answered and run.in_flight and not run.must_store(clock.elapsed()):
            self._places.wait(run.in_flight, self._patience(run))
        for future in answered:
            begun = run.in_flight.pop(future)
            begun.answered_at = clock.elapsed()
            begun.verdict = outcome.judge(future.result(), utc(self._clock.now()))
            if begun.verdict.kind is Kind.ACCEPTED:
                run.accepted.append(begun)
            else:
                self._settle_accepted(run)
                self._settle_failed(run, begun)
        if run.must_store(clock.elapsed()):
            self._settle_accepted(run)

    def _patience(self, run: Run) -> float | None:
        """How long to wait for an answer: no longer than stored answers may wait, or an order that finds a place."""
        if run.accepted:
            return SETTLED_WITHIN
        return LOOK_AGAIN_WITHIN if run.has_place() else None

    def _settle_accepted(self, run: Run) -> None:
        several, run.accepted = run.accepted, []
        sent = self._settlement.accepted(several)
        run.add(
            DeliveryReport(requests=len(several), sent=sent),
            (pk for begun in several for pk in begun.request.entry_ids),
        )
        for begun in several:
            begun.held.unsettled -= 1
            self._put_down(run, begun.held)

    def _settle_failed(self, run: Run, begun: Begun) -> None:
        settled = self._settlement.not_accepted(begun, run.begun)
        report = DeliveryReport(requests=1, retried=settled.retried, failed=settled.failed)
        run.add(report, set(begun.request.entry_ids) - {entry.pk for entry in settled.again})
        begun.held.add_suspects(settled.again)
        begun.held.unsettled -= 1
        if settled.pauses:
            self._pause(run, settled.pauses)
        if settled.suspects_rest:
            self._rest(run, begun.address)
        self._put_down(run, begun.held)

    def _pause(self, run: Run, address: Address) -> None:
        """Sending pauses: what waits, of whatever claim, is given back; of `wanted` no more is tried."""
        for held in list(run.claims):
            self._settlement.give_back(held.claim, held.drop(address))
            self._put_down(run, held)
        if run.wanted is not None:
            run.wanted = set()

    def _rest(self, run: Run, address: Address) -> None:
        """Suspects of an address rest: those that wait are given back, and all are put off."""
        for held in list(run.claims):
            ids = held.drop(address, only=Turn.SUSPECT)
            self._settlement.give_back(held.claim, ids)
            run.add(DeliveryReport(retried=len(ids)), ids)
            self._put_down(run, held)
        self._settlement.put_off_suspects(address)

    def _give_back(self, run: Run, held: HeldClaim) -> None:
        self._settlement.give_back(held.claim, held.drop())
        self._put_down(run, held)

    def _put_down(self, run: Run, held: HeldClaim) -> None:
        """Let go of a claim that is worked off."""
        if held.is_worked_off and held in run.claims:
            run.claims.remove(held)
            self._claimer.worked_off(held.claim)
            self._settlement.give_back_probe(held)

    def _end(self, run: Run) -> None:
        """Keep what is known and give back the rest, whatever has ended the run."""
        self._settle_accepted(run)
        for held in list(run.claims):
            self._settlement.give_back(held.claim, held.drop())
            self._settlement.give_back_probe(held)


def _packing() -> Packing:
    return Packing(settings.ENDPOINT, settings.CALLBACK, settings.BATCH_SIZE, settings.MAX_URL_LENGTH)
