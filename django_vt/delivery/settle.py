"""Storing what came of a request, right after its answer: for its entries, for its endpoint, for those who listen."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Min
from django.dispatch import Signal
from django.utils import timezone

from django_vt.conf import settings
from django_vt.delivery.claim import Claim
from django_vt.exceptions import DeliveryError
from django_vt.models import Endpoint, SendAttempt, SendLogEntry, Status
from django_vt.models.db import with_retries
from django_vt.models.fast_sql import ClaimedEntry
from django_vt.protocol import outcome, reasons
from django_vt.protocol.outcome import Fate, Kind, Reply, Verdict
from django_vt.protocol.packing import OutgoingRequest
from django_vt.signals import event_failed, event_sent

logger = logging.getLogger(__name__)

R = TypeVar("R")


@dataclass(frozen=True)
class Settled:
    """What was stored: how many entries went which way, whether sending pauses, what is to be sent in smaller parts."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    pauses: bool = False
    again: tuple[ClaimedEntry, ...] = ()


class Settlement:
    """Settles the requests of one claim. Every change names the claim's token: without it, it changes nothing."""

    def __init__(self, claim: Claim, using: str, accepted_at: dict[str, Any]) -> None:
        self._claim = claim
        self._entries = {entry.pk: entry for entry in claim.entries}
        self._rows = SendLogEntry.objects.using(using)
        self._attempts = SendAttempt.objects.using(using)
        self._using = using
        # When this worker has begun the last request that each account's endpoint accepted: the row is written once a
        # minute only.
        self._accepted_at = accepted_at
        self._closed = {account for account, endpoint in claim.endpoints.items() if not endpoint.is_open()}
        self._paused: set[str] = set()

    def settle(self, request: OutgoingRequest, result: Reply | DeliveryError, begun_at: datetime) -> Settled:
        """Store the outcome of one request."""
        verdict = outcome.judge(result, timezone.now())
        if verdict.kind is Kind.ACCEPTED:
            return self._sent(request, verdict, begun_at)
        shared = request.shared
        since = not shared and verdict.kind is Kind.REJECTED and self._accepted_since(request)
        verdict = outcome.reconsider(verdict, shared=shared, accepted_since=since)
        settled = self._not_accepted(request, verdict)
        self._note_failure(request, verdict)
        return settled

    def skip(self, ids: Collection[int], code: str) -> int:
        """Not to be sent any more."""
        if not ids:
            return 0
        return self._persistently(lambda: self._rows.mark_skipped(ids, self._claim.token, reasons.reason(code)))

    def give_back(self, ids: Collection[int]) -> None:
        """Not tried: due again at once."""
        if ids:
            self._persistently(lambda: self._rows.give_back(ids, self._claim.token))

    def give_back_probe(self) -> None:
        """End the probe where no answer has."""
        if self._claim.probe is not None:
            for endpoint in self._claim.endpoints.values():
                if endpoint.probe == self._claim.probe:
                    endpoint.give_back_probe(self._claim.probe)

    def _sent(self, request: OutgoingRequest, verdict: Verdict, begun_at: datetime) -> Settled:
        ids, token = request.entry_ids, self._claim.token
        # Whom the signal is for can only be told before: the claim ends with the change.
        mine = self._listened_to(event_sent, ids)
        sent = self._persistently(lambda: self._rows.mark_sent(ids, token, verdict.response_status))
        self._check_lease(request, sent)
        self._note_success(request.account_id, begun_at)
        self._send_signal(event_sent, mine, Status.SENT)
        return Settled(sent=sent)

    def _note_success(self, account_id: str, begun_at: datetime) -> None:
        self._accepted_at[account_id] = begun_at
        endpoint = self._claim.endpoint(account_id)
        if account_id not in self._closed:
            self._persistently(lambda: endpoint.note_success(begun_at))
            return
        self._closed.remove(account_id)
        self._persistently(lambda: endpoint.reopen(begun_at))
        logger.info("Vibetrace accepts events of account %s again", account_id)

    def _not_accepted(self, request: OutgoingRequest, verdict: Verdict) -> Settled:
        entries = [self._entries[pk] for pk in request.entry_ids]
        first = entries[0]
        fate = outcome.fate(
            verdict,
            shared=request.shared,
            counts=self._counts(request.account_id),
            attempts=first.attempts,
            allowed=outcome.attempts_allowed(settings.RETRY_DELAYS),
        )
        changes = self._changes(fate, first, len(entries))
        goes_on = fate is Fate.SPLIT and not verdict.pauses
        mine = self._persistently(lambda: self._store(request, verdict, changes, keep_claim=goes_on))
        self._check_lease(request, len(mine))
        if fate is Fate.FAILED and mine:
            self._tell_failed(first, verdict)
            return Settled(failed=1, pauses=verdict.pauses)
        again = tuple(self._entries[pk] for pk in mine)
        return Settled(again=again) if goes_on else Settled(retried=len(mine), pauses=verdict.pauses)

    def _counts(self, account_id: str) -> bool:
        return self._claim.probe is None and self._claim.endpoint(account_id).is_open()

    def _changes(self, fate: Fate, first: ClaimedEntry, sharing: int) -> dict[str, Any]:
        if fate is Fate.SPLIT:
            return {"batch_limit": outcome.halved(sharing)}
        if fate is Fate.AGAIN:
            # One that failed in company, and now alone, is not to hold up company again, nor be the next probe.
            return {"batch_limit": 1} if first.batch_limit else {}
        attempts = first.attempts + 1
        if fate is Fate.FAILED:
            return {"attempts": attempts, "status": Status.FAILED, "due_at": None}
        delay = outcome.delay_after(attempts, settings.RETRY_DELAYS)
        return {"attempts": attempts, "due_at": timezone.now() + timedelta(seconds=delay)}

    def _store(
        self, request: OutgoingRequest, verdict: Verdict, changes: dict[str, Any], *, keep_claim: bool
    ) -> list[int]:
        """Store the attempt and what follows, for those of the request's entries that the claim still holds."""
        token, now = self._claim.token, timezone.now()
        told = {"response_status": verdict.response_status, "reason": verdict.reason}
        with transaction.atomic(using=self._using):
            # Locked, where the database can: nobody may take them over between the look and the change.
            claimed = self._rows.claimed(request.entry_ids, token).select_for_update().order_by("pk")
            mine = list(claimed.values_list("pk", flat=True))
            self._attempts.bulk_create(SendAttempt(entry_id=pk, at=now, **told) for pk in mine)
            if keep_claim:
                self._rows.split(mine, token, **told, **changes)
            else:
                self._rows.mark_tried(mine, token, **{"due_at": now, **told, **changes})
        for pk in mine:
            for name, value in changes.items():
                setattr(self._entries[pk], name, value)
        return mine

    def _accepted_since(self, request: OutgoingRequest) -> bool:
        """Whether the endpoint has accepted something since it first rejected this lone entry, or a request with it."""
        rejections = self._attempts.filter(entry_id__in=request.entry_ids, response_status__in=outcome.REJECTIONS)
        first = rejections.aggregate(first=Min("at"))["first"]
        known = (self._accepted_at.get(request.account_id), self._claim.endpoint(request.account_id).last_success_at)
        return first is not None and any(moment is not None and moment >= first for moment in known)

    def _note_failure(self, request: OutgoingRequest, verdict: Verdict) -> None:
        if not verdict.pauses or request.account_id in self._paused:
            # Of several requests in flight that fail together only the first counts.
            return
        self._paused.add(request.account_id)
        endpoint = self._claim.endpoint(request.account_id)
        if self._pause(endpoint, request, verdict):
            _tell_outage(endpoint, verdict)
        logger.warning(
            "Sending to Vibetrace (account %s) pauses until %s: %s",
            request.account_id, endpoint.paused_until, reasons.in_english(verdict.reason),
        )  # fmt: skip

    def _pause(self, endpoint: Endpoint, request: OutgoingRequest, verdict: Verdict) -> bool:
        opened_by = None if request.shared else request.entry_ids[0]
        wrong = verdict.kind is Kind.MISCONFIGURED
        return self._persistently(
            lambda: endpoint.pause(verdict.reason, retry_after=verdict.retry_after, opened_by=opened_by, tell=wrong)
        )

    def _check_lease(self, request: OutgoingRequest, changed: int) -> None:
        lost = len(request.entry_ids) - changed
        if not lost:
            return
        rows = self._rows.filter(pk__in=request.entry_ids)
        gone = len(request.entry_ids) - rows.exclude(reason=reasons.reason(reasons.FORGOTTEN)).count()
        if gone:
            logger.info(
                "%d entries were forgotten or deleted while they were under way: what came of them is not stored", gone
            )
        if lost > gone:
            logger.warning("%d entries were taken over by another worker: this one had exceeded LEASE", lost - gone)

    def _tell_failed(self, entry: ClaimedEntry, verdict: Verdict) -> None:
        endpoint, why = self._claim.endpoint(entry.account_id), reasons.in_english(verdict.reason)
        if self._persistently(endpoint.tells_of_failure):
            logger.error(
                "An event has failed for good: entry %d of the send log, %s. See why, mend it and send it again in the "
                "admin. Others that fail within an hour are told at WARNING.", entry.pk, why,
            )  # fmt: skip
        else:
            logger.warning("Entry %d of the send log has failed for good: %s", entry.pk, why)
        self._send_signal(event_failed, (entry.pk,), Status.FAILED)

    def _listened_to(self, signal: Signal, ids: Collection[int]) -> list[int]:
        """Those of the ids that the claim still holds, where anybody listens."""
        if not signal.has_listeners(SendLogEntry):
            return []
        return list(self._rows.claimed(ids, self._claim.token).values_list("pk", flat=True))

    def _send_signal(self, signal: Signal, ids: Collection[int], status: str) -> None:
        if not ids or not signal.has_listeners(SendLogEntry):
            return
        for entry in self._rows.with_status(status, ids).order_by("pk"):
            signal.send_robust(sender=SendLogEntry, entry=entry)

    def _persistently(self, function: Callable[[], R]) -> R:
        return with_retries(function, self._using)


def _tell_outage(endpoint: Endpoint, verdict: Verdict) -> None:
    why = reasons.in_english(verdict.reason)
    if verdict.kind is Kind.MISCONFIGURED:
        logger.error(
            "The configuration for Vibetrace seems wrong: ENDPOINT %s with account %s, %s. Events are kept and tried "
            "again; see ACCOUNT_ID and ENDPOINT, or a firewall in between.",
            endpoint.address, endpoint.account_id, why,
        )  # fmt: skip
    else:
        logger.error(
            "Nothing gets through to Vibetrace since %s (account %s): %s. Events are kept, and sent when it is back; "
            "`manage.py send_log_status` says how things stand.", endpoint.paused_since, endpoint.account_id, why,
        )  # fmt: skip
