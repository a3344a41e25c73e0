"""The verbs by which entries of the send log change.

A worker's verbs name its claim: a worker that lost its lease, and so its claim, changes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from django_vt.models import claiming
from django_vt.models.claiming import ClaimedEntry
from django_vt.models.unindexed import unindexed
from django_vt.protocol import reasons

if TYPE_CHECKING:
    from django_vt.models.send_log import SendLogEntry  # noqa: F401 - the annotation below is a text

PENDING, SENT, FAILED, SKIPPED = "pending", "sent", "failed", "skipped"


class SendLogQuerySet(models.QuerySet["SendLogEntry"]):
    """Queries and verbs of the send log."""

    def due(self, now: datetime) -> SendLogQuerySet:
        """Entries to be tried now, those among them whose worker's lease ran out."""
        return self.filter(due_at__lte=now)

    def under_live_claim(self, now: datetime) -> SendLogQuerySet:
        """Entries that a worker has in its hands."""
        return self.filter(claim__isnull=False, due_at__gt=now)

    def with_status(self, status: str, ids: Collection[int]) -> SendLogQuerySet:
        """Those of the ids that have the status; found by the ids, whatever the planner thinks of the status.

        SQLite, which nobody gathers statistics for, would read all entries that have it.
        """
        return self.filter(pk__in=ids).alias(its_status=unindexed("status")).filter(its_status=status)

    def can_be_sent(self) -> SendLogQuerySet:
        """Entries that hold an event and somebody to attribute it to."""
        return self.exclude(payload="").exclude(identity="")

    def resend(self, account_id: str) -> int:
        """Pending again, attempts 0, due now: what holds an event and somebody to attribute it to.

        Entries under a live claim stay as they are. What was recorded while no account was configured goes to
        `account_id`. Returns how many were reopened.
        """
        account = Case(When(account_id="", then=Value(account_id)), default=F("account_id"))
        return self.can_be_sent().reopen(account_id=account)

    def renew(self, **content: Any) -> int:
        """Pending again with a new payload and identity: what was skipped or had failed, but not the forgotten."""
        forgotten = reasons.reason(reasons.FORGOTTEN)
        return self.filter(status__in=(SKIPPED, FAILED)).exclude(reason=forgotten).reopen(**content)

    def reopen(self, **changes: Any) -> int:
        """What `resend` and `renew` share: pending and due now, as if new, but for what a worker has in its hands."""
        now = timezone.now()
        free = Q(claim__isnull=True) | Q(due_at__isnull=True) | Q(due_at__lte=now)
        fresh = {"attempts": 0, "batch_limit": None, "claim": None, "sent_at": None, "response_status": None}
        return self.filter(free).update(status=PENDING, due_at=now, reason="", **{**fresh, **changes})

    def take(self, ids: Collection[int], lease: float) -> str:
        """Claim those of the ids that are still due, for `lease` seconds; returns the token of the claim.

        One UPDATE, committed at once; Django refuses it inside a transaction, where nobody could see it.
        """
        token, now = secrets.token_hex(16), timezone.now()
        with transaction.atomic(using=self.db, durable=True):
            claiming.take(ids, token, now, now + timedelta(seconds=lease), self.db)
        return token

    def in_hand(self, ids: Collection[int], token: str) -> list[ClaimedEntry]:
        """Those of the ids that the claim holds, with what delivery needs of them."""
        return claiming.read(ids, token, self.db)

    def claimed(self, ids: Collection[int], token: str) -> SendLogQuerySet:
        """Those of the ids that the claim still holds."""
        return self.filter(pk__in=ids, claim=token)

    def give_back(self, ids: Collection[int], token: str) -> int:
        """Due again at once, as if never claimed."""
        return self.claimed(ids, token).update(claim=None, due_at=timezone.now())

    def mark_sent(self, ids: Collection[int], token: str, response_status: int | None) -> int:
        """The vendor has them."""
        return claiming.mark_sent(ids, token, timezone.now(), response_status, self.db)

    def mark_skipped(self, ids: Collection[int], token: str, reason: str) -> int:
        """Not to be sent any more."""
        return self.claimed(ids, token).update(status=SKIPPED, claim=None, due_at=None, reason=reason)

    def mark_tried(self, ids: Collection[int], token: str, **becomes: Any) -> int:
        """A request with them did not succeed; `becomes` says what follows. The claim ends."""
        return self.claimed(ids, token).update(claim=None, **becomes)

    def split(self, ids: Collection[int], token: str, **becomes: Any) -> int:
        """A request that they shared was rejected: fewer shall share the next. The claim goes on."""
        return self.claimed(ids, token).update(**becomes)

    def forget(self, telling: Collection[int] = ()) -> int:
        """Empty what tells of a person and leave the skeleton; what was pending is never sent.

        `telling` are those whose reference tells of the person too; one that may be an address always does. A worker
        that has one of them in its hands has lost its claim, and so changes nothing; see `under_live_claim` for how
        long it may still send what it holds.
        """
        forgotten = Value(reasons.reason(reasons.FORGOTTEN))
        telling_reference = Q(reference__contains="@") | Q(pk__in=telling)
        return self.update(
            reason=Case(When(status=SENT, then=F("reason")), default=forgotten),
            status=Case(When(status=PENDING, then=Value(SKIPPED)), default=F("status")),
            reference=Case(When(telling_reference, then=Value("")), default=F("reference")),
            payload="",
            identity="",
            email_hash="",
            claim=None,
            due_at=None,
        )

    def empty(self, ids: Collection[int]) -> int:
        """Empty the payloads of those that are sent, and leave all else: whose it was, and that it was sent."""
        return self.with_status(SENT, ids).update(payload="")

    def purge(self, status: str, before: datetime, most: int) -> int:
        """Delete at most so many of those that were recorded before, with their attempts, in one short transaction.

        The oldest first. What has another status by then (resent, and pending again) stays. Returns how many were
        deleted, 0 where none are left.
        """
        from django_vt.models.send_log import SendAttempt

        old = self.filter(status=status, created_at__lt=before)
        chosen = list(old.order_by("created_at").values_list("pk", flat=True)[:most])
        with transaction.atomic(using=self.db):
            # First a change: on SQLite a transaction that begins by reading can fail when it comes to write.
            SendAttempt.objects.using(self.db).filter(entry__in=chosen).delete()
            still = list(self.with_status(status, chosen).select_for_update().values_list("pk", flat=True))
            self.filter(pk__in=still).only("pk").delete()
        return len(still)

    def earliest_due(self) -> datetime | None:
        """When something is next due; in the past where it is overdue. None: nothing is pending."""
        earliest: Iterable[datetime | None] = (
            self.filter(due_at__isnull=False).order_by("due_at").values_list("due_at", flat=True)[:1]
        )
        return next(iter(earliest), None)
