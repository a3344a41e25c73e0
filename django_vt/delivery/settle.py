"""Storing the outcomes of requests: on their entries and their endpoint; then sending signals."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any, TypeVar

from django.db import transaction
from django.dispatch import Signal

from django_vt.conf import settings
from django_vt.delivery.alerts import Alerts
from django_vt.delivery.claim import MOST_IDS, Address, Claim, Claimer
from django_vt.delivery.run import Begun, HeldClaim
from django_vt.models import Endpoint, SendAttempt, SendLogEntry, Status
from django_vt.models.db import with_retries
from django_vt.models.fast_sql import ClaimedEntry
from django_vt.models.functions import moment
from django_vt.protocol import outcome, reasons
from django_vt.protocol.outcome import Fate, Kind, Record, Turn, Verdict
from django_vt.signals import event_failed, event_sent

logger = logging.getLogger(__name__)

R = TypeVar("R")


@dataclass(frozen=True)
class Settled:
    """What was stored: how many entries had which outcome, the address that pauses, the entries to split and resend."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    pauses: Address | None = None
    suspects_rest: bool = False
    again: tuple[ClaimedEntry, ...] = ()


class Settlement:
    """Settles one worker's requests. Every UPDATE filters by the claim's token, so a lost claim changes nothing.

    `kept_by`: the backend's name if it is one for tests or development, which sends nothing. The entries then say so.
    """

    def __init__(self, claimer: Claimer, kept_by: str = "") -> None:
        self._claimer = claimer
        self._reason_of_sent = reasons.reason(reasons.KEPT_HERE, kept_by) if kept_by else ""
        self._clock = claimer.clock
        self._using = claimer.using
        self._alerts = Alerts(claimer.using, claimer.clock)
        self._rows = SendLogEntry.objects.using(claimer.using)
        self._attempts = SendAttempt.objects.using(claimer.using)
        # By address: the number of the last request begun when one failed. A success that was begun before the failure
        # proves nothing: a new firewall still lets through the answers to requests that were in flight.
        self._begun_at_failure: dict[Address, int] = {}

    def begin_run(self) -> None:
        """Start counting requests from zero; none may be in flight."""
        self._begun_at_failure.clear()

    def accepted(self, several: Sequence[Begun]) -> int:
        """Store that requests were accepted, all of a claim together; returns how many entries were sent."""
        sent, listened_to = 0, list[int]()
        ordered = sorted(several, key=lambda begun: (begun.held.claim.token, begun.verdict.response_status or 0))
        for _token, group in groupby(
            ordered, key=lambda begun: (begun.held.claim.token, begun.verdict.response_status)
        ):
            number, ids = self._sent(list(group))
            sent += number
            listened_to += ids
        # When all is stored: a receiver that ends the process would have the others sent again.
        self._send_signal(event_sent, listened_to, Status.SENT)
        return sent

    def not_accepted(self, begun: Begun, last_begun: int) -> Settled:
        """Store that a request failed or was rejected. `last_begun`: the number of the last request begun."""
        self._begun_at_failure[begun.address] = last_begun
        entries = [begun.held.entries[pk] for pk in begun.request.entry_ids]
        endpoint, shared = self._endpoint(begun), begun.request.shared
        verdict, first = begun.verdict, entries[0]
        suspected = first.is_suspect
        # If the endpoint was at fault, the entries need not wait for another's success, so the count is not read anew.
        accepted = endpoint.accepted if verdict.is_endpoints_fault else self._persistently(endpoint.await_success)
        record = _record(first, accepted)
        fate = outcome.fate(
            verdict, shared=shared, record=record, allowed=outcome.attempts_allowed(settings.RETRY_DELAYS)
        )
        again_rejected = (
            fate is Fate.WAIT and verdict.kind is Kind.REJECTED and first.accepted_when_rejected is not None
        )
        pauses = self._pause(begun, suspected=suspected)
        rest = self._suspects_rest(endpoint) if suspected and not verdict.is_endpoints_fault else None
        goes_on = fate is Fate.SPLIT and not pauses and rest is None
        changes = self._changes(fate, begun, accepted)
        mine = self._store(begun, changes, keep_claim=goes_on)
        self._check_lease(begun.request.entry_ids, len(mine))
        if not pauses:
            self._alert_trouble(endpoint, verdict, again_rejected=again_rejected)
        if fate is Fate.FAILED and mine:
            self._alert_failed(first, verdict)
            return Settled(failed=1, pauses=pauses)
        again = tuple(begun.held.entries[pk] for pk in mine)
        if goes_on:
            return Settled(again=again)
        return Settled(retried=len(mine), pauses=pauses, suspects_rest=rest is not None)

    def put_off_suspects(self, address: Address) -> None:
        """Put off the suspects of an address that no worker holds."""
        endpoint = self._claimer.endpoints[address]
        rest = outcome.suspects_rest(endpoint.suspects_failures, patience=endpoint.patience) or 0.0
        until = self._clock.now() + int(rest * 1000)
        self._persistently(lambda: self._rows.put_off_suspects(*address, until))

    def skip(self, claim: Claim, ids: Collection[int], code: str) -> int:
        """Mark entries as skipped, never to be sent."""
        if not ids:
            return 0
        return self._persistently(lambda: self._rows.mark_skipped(ids, claim.token, reasons.reason(code)))

    def give_back(self, claim: Claim, ids: Collection[int]) -> None:
        """Give back entries that were not tried; they are due again at once."""
        if ids:
            self._persistently(lambda: self._rows.give_back(ids, claim.token, self._clock.now()))

    def give_back_probe(self, held: HeldClaim) -> None:
        """End the probe if no answer has ended it."""
        probe = held.claim.probe
        if probe is None:
            return
        for endpoint in self._claimer.endpoints.values():
            if endpoint.probe == probe:
                self._persistently(partial(endpoint.give_back_probe, probe))

    def still_held(self, claim: Claim, ids: Collection[int]) -> list[int]:
        """The ids that the claim still holds, in their order; not those taken over or forgotten meanwhile."""
        held = set(self._persistently(lambda: list(self._rows.claimed(ids, claim.token).values_list("pk", flat=True))))
        self._check_lease(ids, len(held))
        return [pk for pk in ids if pk in held]

    # Accepted

    def _sent(self, group: Sequence[Begun]) -> tuple[int, list[int]]:
        """Returns how many entries were sent, and the ids of those that somebody wants to hear of."""
        token, ids = group[0].held.claim.token, [pk for begun in group for pk in begun.request.entry_ids]
        # Select the entries first: the UPDATE clears `claim`, by which we find them.
        listened_to = self._listened_to(event_sent, ids, token)
        sent = 0
        for start in range(0, len(ids), MOST_IDS):
            sent += self._mark_sent(ids[start : start + MOST_IDS], token, group[0].verdict.response_status)
        self._check_lease(ids, sent)
        for begun in group:
            self._note_success(begun)
        return sent, listened_to

    def _mark_sent(self, ids: Sequence[int], token: str, response_status: int | None) -> int:
        again = False

        def mark() -> int:
            nonlocal again
            before, again = again, True
            changed = self._rows.mark_sent(ids, token, self._moment(), response_status, self._reason_of_sent)
            # On a second try the first may have been committed, and only its acknowledgement lost: count, then.
            return self._rows.with_status(Status.SENT, ids).count() if before else changed

        return self._persistently(mark)

    def _note_success(self, begun: Begun) -> None:
        endpoint, address = self._endpoint(begun), begun.address
        counts = begun.number > self._begun_at_failure.get(address, 0)
        closed = not endpoint.is_open()
        if closed and not counts:
            return  # a pause that began after this request stays
        if not (closed or endpoint.failures_in_row or endpoint.suspects_failures):
            if counts:
                self._persistently(lambda: endpoint.note_success(self._clock.now()))
            self._lose_patience(endpoint, begun)
            return
        self._recover(endpoint, begun, counts=counts)
        if closed:
            logger.info("Vibetrace accepts events of account %s again", begun.request.account_id)

    def _lose_patience(self, endpoint: Endpoint, begun: Begun) -> None:
        if endpoint.patience > outcome.LEAST_PATIENCE and begun.request.shared and begun.turn is Turn.FRESH:
            patience = outcome.patience_after_success(failures_in_row=0, patience=endpoint.patience, shared=True)
            self._persistently(lambda: endpoint.set_patience(patience))

    def _recover(self, endpoint: Endpoint, begun: Begun, *, counts: bool) -> None:
        patience = outcome.patience_after_success(
            failures_in_row=endpoint.failures_in_row, patience=endpoint.patience, shared=begun.request.shared,
            pauses=endpoint.consecutive_failures,
        )  # fmt: skip
        self._persistently(lambda: endpoint.recover(self._clock.now(), patience=patience, counts=counts))
        if counts:
            self._persistently(lambda: self._rows.end_waits(*begun.address, self._clock.now()))

    # Not accepted

    def _changes(self, fate: Fate, begun: Begun, accepted: int) -> dict[str, Any]:
        verdict, first = begun.verdict, begun.held.entries[begun.request.entry_ids[0]]
        now = self._clock.now()
        if fate is Fate.AGAIN:
            return {"due_at": now if first.is_suspect else 0}
        changes: dict[str, Any] = {"accepted_before": accepted, "due_at": now}
        if verdict.kind is Kind.REJECTED and first.accepted_when_rejected is None:
            changes["accepted_when_rejected"] = accepted
        if fate is Fate.SPLIT:
            patience = self._endpoint(begun).patience
            sharing = len(begun.request.entry_ids)
            return {**changes, "batch_limit": outcome.smaller(sharing, verdict, patience=patience)}
        if fate is Fate.FAILED:
            return {**changes, "attempts": first.attempts + 1, "status": Status.FAILED, "due_at": None}
        waits = first.waits + 1
        delay = outcome.delay_after(waits, settings.RETRY_DELAYS)
        attempts = first.attempts + (fate is Fate.LATER)
        due_at = now + int(delay * 1000)
        return {**changes, "attempts": attempts, "waits": waits, "due_at": due_at, "batch_limit": 1}

    def _store(self, begun: Begun, changes: dict[str, Any], *, keep_claim: bool) -> list[int]:
        """Store the attempt and the changes, for the request's entries that the claim still holds."""
        at, again = self._moment(), False
        told = {"response_status": begun.verdict.response_status, "reason": begun.verdict.reason}
        ids, token = begun.request.entry_ids, begun.held.claim.token

        def store() -> list[int]:
            nonlocal again
            if again and (stored := self._stored_already(ids, at)):
                return stored
            again = True
            with transaction.atomic(using=self._using):
                # Lock the rows if the database can, so that no worker takes them over between SELECT and UPDATE.
                claimed = self._rows.claimed(ids, token).select_for_update().order_by("pk")
                mine = list(claimed.values_list("pk", flat=True))
                self._attempts.bulk_create(SendAttempt(entry_id=pk, at=at, **told) for pk in mine)
                if keep_claim:
                    self._rows.split(mine, token, **{**told, **changes, "due_at": begun.held.claim.until})
                else:
                    self._rows.mark_tried(mine, token, **told, **changes)
            return mine

        mine = self._persistently(store)
        for pk in mine:
            begun.held.change(pk, changes)
        return mine

    def _stored_already(self, ids: Collection[int], at: datetime) -> list[int]:
        """The ids whose attempt is stored already, by a commit of which only the acknowledgement was lost."""
        stored = self._attempts.filter(entry_id__in=ids, at=at).order_by("entry_id")
        return list(stored.values_list("entry_id", flat=True))

    def _pause(self, begun: Begun, *, suspected: bool) -> Address | None:
        """Note a failure on the endpoint; returns its address if sending pauses."""
        endpoint, verdict = self._endpoint(begun), begun.verdict
        speaks = not (suspected or verdict.is_endpoints_fault)
        failures = self._persistently(lambda: endpoint.note_failure(self._clock.now())) if speaks else 0
        seconds = outcome.pause_after(
            verdict, is_probe=begun.held.claim.probe is not None, failures_in_row=failures,
            patience=endpoint.patience, pauses=endpoint.consecutive_failures,
        )  # fmt: skip
        if seconds is None:
            return None
        probe = begun.held.claim.probe
        # If several requests in flight fail together, only the first starts a pause; only a probe prolongs it.
        if endpoint.is_open() or (probe is not None and endpoint.probe == probe):
            self._begin_pause(endpoint, verdict, seconds)
        return begun.address

    def _suspects_rest(self, endpoint: Endpoint) -> float | None:
        failures = self._persistently(lambda: endpoint.note_suspects_failure(self._clock.now()))
        return outcome.suspects_rest(failures, patience=endpoint.patience)

    def _begin_pause(self, endpoint: Endpoint, verdict: Verdict, seconds: float) -> None:
        wrong = verdict.kind in {Kind.MISCONFIGURED, Kind.REJECTED}
        alerts = self._persistently(
            lambda: endpoint.pause(verdict.reason, now=self._clock.now(), seconds=seconds, tell=wrong)
        )
        if alerts and wrong:
            self._alerts.misconfigured(endpoint, verdict.reason)
        elif alerts:
            self._alerts.outage(endpoint, verdict.reason)
        logger.warning(
            "Sending to Vibetrace (account %s, type %s) pauses until %s: %s", endpoint.account_id, endpoint.event_type,
            endpoint.paused_until_moment, reasons.in_english(verdict.reason),
        )  # fmt: skip

    def _alert_trouble(self, endpoint: Endpoint, verdict: Verdict, *, again_rejected: bool) -> None:
        """Log what a pause would log, although nothing pauses."""
        now = self._clock.now()
        if again_rejected:
            if self._persistently(lambda: endpoint.alerts_of_misconfiguration(now)):
                self._alerts.misconfigured(endpoint, verdict.reason)
        elif self._persistently(lambda: endpoint.alerts_of_outage(now)):
            self._alerts.outage(endpoint, verdict.reason)

    def _alert_failed(self, entry: ClaimedEntry, verdict: Verdict) -> None:
        endpoint = self._claimer.endpoints[entry.account_id, entry.event_type]
        self._alerts.failed(endpoint, entry.pk, verdict.reason)
        self._send_signal(event_failed, (entry.pk,), Status.FAILED)

    # Both

    def _endpoint(self, begun: Begun) -> Endpoint:
        return self._claimer.endpoints[begun.address]

    def _moment(self) -> datetime:
        return moment(self._clock.now())

    def _check_lease(self, ids: Collection[int], changed: int) -> None:
        lost = len(ids) - changed
        if not lost:
            return
        kept = self._rows.filter(pk__in=ids).exclude(reason=reasons.reason(reasons.FORGOTTEN))
        gone = len(ids) - self._persistently(kept.count)
        if gone:
            logger.info(
                "%d entries were forgotten or deleted while they were under way: what came of them is not stored", gone
            )
        if lost > gone:
            logger.warning("%d entries were taken over by another worker: this one had exceeded LEASE", lost - gone)

    def _listened_to(self, signal: Signal, ids: Collection[int], token: str) -> list[int]:
        """The ids that the claim still holds; none if the signal has no receivers."""
        if not signal.has_listeners(SendLogEntry):
            return []
        return self._persistently(lambda: list(self._rows.claimed(ids, token).values_list("pk", flat=True)))

    def _send_signal(self, signal: Signal, ids: Collection[int], status: str) -> None:
        if not ids or not signal.has_listeners(SendLogEntry):
            return
        for entry in self._persistently(lambda: list(self._rows.with_status(status, ids).order_by("pk"))):
            try:
                signal.send_robust(sender=SendLogEntry, entry=entry)
            except CancelledError:  # noqa: PERF203 - of something async that it called: no `Exception` to Django
                logger.error("A receiver raised CancelledError; entry %d is stored as %s", entry.pk, status)

    def _persistently(self, function: Callable[[], R]) -> R:
        return with_retries(function, self._using)


def _record(entry: ClaimedEntry, accepted: int) -> Record:
    return Record(
        attempts=entry.attempts,
        accepted_since_tried=entry.accepted_before is not None and accepted > entry.accepted_before,
        accepted_since_rejected=entry.accepted_when_rejected is not None and accepted > entry.accepted_when_rejected,
    )
