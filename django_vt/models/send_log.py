"""The verbs by which entries of the send log change.

A worker's verbs name its claim: a worker that lost its lease, and so its claim, changes nothing.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from django_vt.models import fast_sql
from django_vt.models.fast_sql import ClaimedEntry
from django_vt.models.functions import unindexed
from django_vt.protocol import reasons
from django_vt.protocol.values import showable


class Status(models.TextChoices):
    """Where an entry stands."""

    # With a context: in other languages such words agree with what they are said of.
    PENDING = "pending", pgettext_lazy("send log entry", "pending")  # due at `due_at`, or with a worker until then
    SENT = "sent", pgettext_lazy("send log entry", "sent")  # the vendor answered 2xx
    FAILED = "failed", pgettext_lazy("send log entry", "failed")  # for good: `reason` says why
    SKIPPED = "skipped", pgettext_lazy("send log entry", "skipped")  # never to be sent: `reason` says why


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
        return self.filter(status__in=(Status.SKIPPED, Status.FAILED)).exclude(reason=forgotten).reopen(**content)

    def reopen(self, **changes: Any) -> int:
        """What `resend` and `renew` share: pending and due now, as if new, but for what a worker has in its hands."""
        now = timezone.now()
        free = Q(claim__isnull=True) | Q(due_at__isnull=True) | Q(due_at__lte=now)
        fresh = {"attempts": 0, "batch_limit": None, "claim": None, "sent_at": None, "response_status": None}
        return self.filter(free).update(status=Status.PENDING, due_at=now, reason="", **{**fresh, **changes})

    def take(self, ids: Collection[int], lease: float) -> str:
        """Claim those of the ids that are still due, for `lease` seconds; returns the token of the claim.

        One UPDATE, committed at once; Django refuses it inside a transaction, where nobody could see it.
        """
        token, now = secrets.token_hex(16), timezone.now()
        with transaction.atomic(using=self.db, durable=True):
            fast_sql.claim(ids, token, now, now + timedelta(seconds=lease), self.db)
        return token

    def in_hand(self, ids: Collection[int], token: str) -> list[ClaimedEntry]:
        """Those of the ids that the claim holds, with what delivery needs of them."""
        return fast_sql.read_claimed(ids, token, self.db)

    def claimed(self, ids: Collection[int], token: str) -> SendLogQuerySet:
        """Those of the ids that the claim still holds."""
        return self.filter(pk__in=ids, claim=token)

    def give_back(self, ids: Collection[int], token: str) -> int:
        """Due again at once, as if never claimed."""
        return self.claimed(ids, token).update(claim=None, due_at=timezone.now())

    def mark_sent(self, ids: Collection[int], token: str, response_status: int | None) -> int:
        """The vendor has them."""
        return fast_sql.mark_sent(ids, token, timezone.now(), response_status, self.db)

    def mark_skipped(self, ids: Collection[int], token: str, reason: str) -> int:
        """Not to be sent any more."""
        return self.claimed(ids, token).update(status=Status.SKIPPED, claim=None, due_at=None, reason=reason)

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
            reason=Case(When(status=Status.SENT, then=F("reason")), default=forgotten),
            status=Case(When(status=Status.PENDING, then=Value(Status.SKIPPED)), default=F("status")),
            reference=Case(When(telling_reference, then=Value("")), default=F("reference")),
            payload="",
            identity="",
            email_hash="",
            claim=None,
            due_at=None,
        )

    def empty(self, ids: Collection[int]) -> int:
        """Empty the payloads of those that are sent, and leave all else: whose it was, and that it was sent."""
        return self.with_status(Status.SENT, ids).update(payload="")

    def purge(self, status: str, before: datetime, most: int) -> int:
        """Delete at most so many of those that were recorded before, with their attempts, in one short transaction.

        The oldest first. What has another status by then (resent, and pending again) stays. Returns how many were
        deleted, 0 where none are left.
        """
        old = self.filter(status=status, created_at__lt=before)
        chosen = list(old.order_by("created_at").values_list("pk", flat=True)[:most])
        with transaction.atomic(using=self.db):
            # An UPDATE that changes nothing locks them: from then on nobody resends one, which would lose its attempts
            # though it stays. SQLite has no SELECT for that, and refuses to write in a transaction that began to read.
            self.with_status(status, chosen).update(status=status)
            still = list(self.with_status(status, chosen).values_list("pk", flat=True))
            SendAttempt.objects.using(self.db).filter(entry__in=still).delete()
            self.filter(pk__in=still).only("pk").delete()
        return len(still)

    def earliest_due(self) -> datetime | None:
        """When something is next due; in the past where it is overdue. None: nothing is pending."""
        earliest: Iterable[datetime | None] = (
            self.filter(due_at__isnull=False).order_by("due_at").values_list("due_at", flat=True)[:1]
        )
        return next(iter(earliest), None)


# The send log: an entry an event, from the order's transaction to the vendor's answer. It is the outbox too.


class SendLogEntry(models.Model):
    """One event. Its columns change only through the verbs of `SendLogEntry.objects` (`send_log_verbs.py`)."""

    Status = Status

    account_id: models.CharField[str, str] = models.CharField(_("account"), max_length=64)
    event_type: models.CharField[str, str] = models.CharField(_("type"), max_length=64)
    payload: models.TextField[str, str] = models.TextField(_("payload"), blank=True, default="")
    identity: models.CharField[str, str] = models.CharField(_("identity"), max_length=330, blank=True, default="")
    email_hash: models.CharField[str, str] = models.CharField(_("e-mail hash"), max_length=64, blank=True, default="")
    reference: models.CharField[str, str] = models.CharField(_("reference"), max_length=255, blank=True, default="")
    dedup_key: models.CharField[str | None, str | None] = models.CharField(
        _("deduplication key"), max_length=64, null=True, blank=True
    )
    status: models.CharField[str, str] = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.PENDING
    )
    attempts: models.PositiveSmallIntegerField[int, int] = models.PositiveSmallIntegerField(_("attempts"), default=0)
    batch_limit: models.PositiveSmallIntegerField[int | None, int | None] = models.PositiveSmallIntegerField(
        _("batch limit"), null=True, blank=True
    )
    due_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("due at"), null=True, blank=True
    )
    claim: models.CharField[str | None, str | None] = models.CharField(_("claim"), max_length=32, null=True, blank=True)
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(_("recorded at"))
    sent_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("sent at"), null=True, blank=True
    )
    response_status: models.PositiveSmallIntegerField[int | None, int | None] = models.PositiveSmallIntegerField(
        _("last answer"), null=True, blank=True
    )
    reason: models.CharField[str, str] = models.CharField(
        _("reason"), max_length=reasons.MAX_LENGTH, blank=True, default=""
    )

    objects = SendLogQuerySet.as_manager()

    class Meta:
        verbose_name = _("send log entry")
        verbose_name_plural = _("send log")
        default_permissions = ("view",)
        permissions = (
            ("resend_sendlogentry", _("Can send entries of the send log again, hold and release sending")),
            ("view_person", _("Can see whose events the send log holds")),
        )
        constraints = (models.UniqueConstraint(fields=["dedup_key"], name="django_vt_dedup_key"),)
        indexes = (
            models.Index(fields=["due_at"], name="django_vt_due_at"),
            # With the id at the end they answer alone for the newest of any, and for any page of the admin's list.
            # The operator classes are PostgreSQL's, and others ignore them: with the first, one index serves the ids of
            # all of a visitor's sessions (LIKE 'pixel:…%') too, whatever the database's collation.
            models.Index(
                fields=["identity", "id"], name="django_vt_identity", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
            models.Index(fields=["email_hash", "id"], name="django_vt_email_hash"),
            models.Index(fields=["reference", "id"], name="django_vt_reference"),
            models.Index(fields=["created_at"], name="django_vt_created_at"),
            models.Index(fields=["sent_at"], name="django_vt_sent_at"),
            models.Index(fields=["status", "created_at", "id"], name="django_vt_status"),
            models.Index(fields=["event_type", "created_at", "id"], name="django_vt_event_type"),
            models.Index(fields=["status", "event_type", "created_at", "id"], name="django_vt_status_and_type"),
        )

    def __str__(self) -> str:
        return f"{self.event_type} {showable(self.reference)}".strip()

    @property
    def event(self) -> dict[str, Any] | None:
        """What is sent, parsed; None where the payload was emptied or the event was invalid."""
        event: dict[str, Any] | None = json.loads(self.payload) if self.payload else None
        return event


class SendAttempt(models.Model):
    """A request that carried the entry and did not succeed. Not every one counts in `SendLogEntry.attempts`."""

    entry: models.ForeignKey[SendLogEntry, SendLogEntry] = models.ForeignKey(
        SendLogEntry, models.CASCADE, related_name="failed_attempts", verbose_name=_("entry")
    )
    at: models.DateTimeField[datetime, datetime] = models.DateTimeField(_("at"))
    response_status: models.PositiveSmallIntegerField[int | None, int | None] = models.PositiveSmallIntegerField(
        _("answer"), null=True, blank=True
    )
    reason: models.CharField[str, str] = models.CharField(_("reason"), max_length=reasons.MAX_LENGTH)

    class Meta:
        verbose_name = _("failed attempt")
        verbose_name_plural = _("failed attempts")
        default_permissions = ("view",)
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.reason}"
