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

# ms: a claim's token that was seen in the table this recently is not looked up again before a request.
TOKEN_SEEN_FOR = 1_000
LOOK_AGAIN_WITHIN = 0.5  # seconds that a new order waits at most if a place is free while other requests are in flight


@discreetly
def deliver_due(
    *, ids: Collection[int] | None = None, limit: int | None = None, using: str | None = None
) -> DeliveryReport:
    """Send what is due, in this thread, until nothing is due any more, or sending is paused or held.

    `ids`: send only these, each once, even if sending is paused. `limit`: send at most this many entries. `using`: the
    alias of the database, by default the send log's. Does nothing if ENABLED is False. Raises `RuntimeError` inside a
    transaction, or if autocommit is off: other workers must see its claims before it sends.
    """
    alias = using or default_alias()
    if not (connections[alias].in_atomic_block or connections[alias].get_autocommit()):
        raise RuntimeError("deliver_due needs autocommit: it must commit what it claims before it sends")
    with Delivery(alias) as delivery:
        return delivery.run(ids=ids, limit=limit)


@discreetly
def send_unrecorded(account_id: str, event_type: str, payload: str) -> Reply | DeliveryError:
    """Send one event once, bypassing the send log: nothing is stored, paused or tried again."""
    entry = SendLogEntry(pk=0, account_id=account_id, event_type=event_type, payload=payload)
    [request] = _packing().pack([entry])
    with Delivery(default_alias()) as delivery:
        return delivery.send(request)


def backend_class() -> type[Backend]:
    """The class that BACKEND names. The first call in a process imports it, and maybe an HTTP library with it."""
    backend: type[Backend] = import_string(settings.BACKEND)
    return backend


class Places:
    """Where requests run: one after another in this thread, or in a pool of `concurrency` threads."""

    def __init__(self, concurrency: int) -> None:
        self._pool = ThreadPoolExecutor(concurrency, "django-vt-send") if concurrency > 1 else None

    def begin(
        self, send: Callable[[OutgoingRequest], Reply | DeliveryError], request: OutgoingRequest
    ) -> Future[Reply | DeliveryError]:
        """Begin a request; without a pool it has ended when this returns."""
        if self._pool is not None:
            return self._pool.submit(send, request)
        future: Future[Reply | DeliveryError] = Future()
        future.set_result(send(request))
        return future

    def wait(self, futures: Collection[Future[Reply | DeliveryError]], seconds: float | None) -> None:
        """Wait until one of them has ended, or `seconds` have passed."""
        wait(futures, seconds, FIRST_COMPLETED)

    def close(self) -> None:
        """Wait for what is in flight."""
        if self._pool is not None:
            self._pool.shutdown()


class Delivery:
    """One worker's delivery on one database, with up to `concurrency` requests in flight.

    Only the thread that calls `run` makes queries; other threads run the backend alone. `stopping` is asked before each
    request: once it returns True, claimed entries that are not begun are given back. `account_id`: send only this
    account's events.
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
        # The newest entry's id when a backlog was found. Entries after it are sent first until the backlog is gone.
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
        """Seconds until the next entry may be sent; None if nothing is pending, or if ENABLED is False."""
        return self._claimer.seconds_until_due() if settings.ENABLED else None

    def run(self, *, ids: Collection[int] | None = None, limit: int | None = None) -> DeliveryReport:
        """Deliver until nothing may be claimed; `ids` and `limit` as in `deliver_due`."""
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
                # Only if the round began idle does a claim in vain show that nothing is left to claim.
                goes_on = claimed or not (was_idle and run.is_idle)
                yield
        finally:
            self._end(run)

    # Claim

    def _claim(self, run: Run) -> bool:
        """Claim more entries if the waiting requests do not fill the places; False if nothing was claimed."""
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
        """Claim new orders, which are sent before a backlog so that it does not hold them up."""
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
        """The next request to begin, or None if there is none."""
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
        """Whether a request begun now surely ends within the lease; if LEASE is short, whether half of it is left."""
        margin = min(settings.deadline, settings.LEASE / 2)
        return self._clock.now() + int(margin * 1000) <= held.claim.until

    def _request(self, held: HeldClaim, turn: Turn) -> OutgoingRequest:
        """The next request of its kind. After a failure, send one entry alone: it shows whose fault the failure was."""
        request = held.next(turn)
        endpoint = self._claimer.endpoints[request.account_id, request.event_type]
        if turn is Turn.FRESH and request.shared and endpoint.failures_in_row:
            return held.alone(request)
        return request

    def _checked(self, held: HeldClaim, request: OutgoingRequest) -> OutgoingRequest | None:
        """The request without entries that the claim has lost: forgotten, or taken over while this process hung."""
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
        """The reply, or the reason why there is none, whatever the backend returns or raises."""
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
        """Store the outcomes: accepted requests together, within 50 ms; all others immediately.

        `may_wait`: wait for an answer if there is none. Pass True only if nothing more can be claimed now.
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
        """Seconds to wait for an answer: few if accepted ones are not stored yet, or a place for new orders is free."""
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
        """Sending to the address pauses: give back its waiting entries, and try no more of `wanted`."""
        for held in list(run.claims):
            self._settlement.give_back(held.claim, held.drop(address))
            self._put_down(run, held)
        if run.wanted is not None:
            run.wanted = set()

    def _rest(self, run: Run, address: Address) -> None:
        """Let the suspects of an address rest: give back those that wait, and put all of them off."""
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
        """Release the claim if it is worked off."""
        if held.is_worked_off and held in run.claims:
            run.claims.remove(held)
            self._claimer.worked_off(held.claim)
            self._settlement.give_back_probe(held)

    def _end(self, run: Run) -> None:
        """Store the accepted requests and give back all else, even if an error ended the run."""
        self._settle_accepted(run)
        for held in list(run.claims):
            self._settlement.give_back(held.claim, held.drop())
            self._settlement.give_back_probe(held)


def _packing() -> Packing:
    return Packing(settings.ENDPOINT, settings.CALLBACK, settings.BATCH_SIZE, settings.MAX_URL_LENGTH)
