"""The send log: its entries, and the verbs that change them.

A worker's verbs filter by its claim's token: a worker that lost its lease, and so its claim, changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import connections, models, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from django_vt.conf import settings
from django_vt.events import event_name
from django_vt.models import fast_sql
from django_vt.models.fast_sql import Taken, Wanted
from django_vt.models.functions import READINGS_APART, moment, unindexed
from django_vt.protocol import reasons
from django_vt.protocol.payloads import object_of
from django_vt.protocol.values import showable


class Status(models.TextChoices):
    """The state of an entry."""

    # pgettext, because in other languages these words agree with their noun.
    PENDING = "pending", pgettext_lazy("send log entry", "pending")  # due at `due_at`, or leased to a worker until then
    SENT = "sent", pgettext_lazy("send log entry", "sent")  # the vendor has answered 2xx
    FAILED = "failed", pgettext_lazy("send log entry", "failed")  # for good: `reason` says why
    SKIPPED = "skipped", pgettext_lazy("send log entry", "skipped")  # never to be sent: `reason` says why


def live_claim(now: int) -> Q:
    """A condition for entries under a worker's lease. `now`: the database's clock, ms.

    A lease that ends later than LEASE from now does not count: a clock was wrong when it was taken.
    """
    return Q(claim__isnull=False, due_at__gt=now, due_at__lte=_latest_lease(now))


def _latest_lease(now: int) -> int:
    return now + int(settings.LEASE * 1000) + READINGS_APART


class SendLogQuerySet(models.QuerySet["SendLogEntry"]):
    """Queries and verbs of the send log."""

    def due(self, now: int) -> SendLogQuerySet:
        """Entries to be tried now, including those whose worker's lease ran out. `now`: the database's clock, ms."""
        return self.filter(due_at__lte=now)

    def bring_back(self, now: int, longest_delay: float) -> int:
        """Make entries due now whose `due_at` is further ahead than possible, because a clock was wrong.

        `now`: the database's clock, ms. `longest_delay`: the longest that an entry waits for its next try, seconds.
        """
        too_far = Q(due_at__gt=now + int(longest_delay * 1000) + READINGS_APART) | Q(
            claim__isnull=False, due_at__gt=_latest_lease(now)
        )
        return self.filter(too_far).update(due_at=now, claim=None)

    def with_status(self, status: str, ids: Collection[int]) -> SendLogQuerySet:
        """Those of the ids that have the status. The planner is made to search by the ids.

        SQLite usually has no statistics, and would read all entries with the status.
        """
        return self.filter(pk__in=ids).alias(its_status=unindexed("status")).filter(its_status=status)

    def can_be_sent(self) -> SendLogQuerySet:
        """Entries that have a payload and an identity."""
        return self.exclude(payload="").exclude(identity="")

    def resend(self, account_id: str, now: int) -> int:
        """Make entries with a payload and an identity pending again, with attempts 0 and due now.

        Entries under a live claim stay as they are. Entries that were recorded without an account get `account_id`.
        `now`: the database's clock, ms. Returns how many were reopened.
        """
        account = Case(When(account_id="", then=Value(account_id)), default=F("account_id"))
        return self.can_be_sent().exclude(live_claim(now)).reopen(account_id=account, due_at=now)

    def renew(self, **content: Any) -> int:
        """Make skipped and failed entries, but not forgotten ones, pending again with a new payload and identity."""
        forgotten = reasons.reason(reasons.FORGOTTEN)
        return self.filter(status__in=(Status.SKIPPED, Status.FAILED)).exclude(reason=forgotten).reopen(**content)

    def reopen(self, **changes: Any) -> int:
        """Make entries pending as if never tried: what `resend` and `renew` share."""
        return self.update(**{**AS_IF_NEW, **changes})

    def take(self, wanted: Wanted, token: str, until: int, *, skip: int = 0) -> Taken:
        """Claim entries that are due, until a moment (ms of the database's clock), and commit.

        Raises `RuntimeError` inside a transaction, because other workers could not see the claim.
        """
        with transaction.atomic(using=self.db, durable=True):
            return fast_sql.claim(wanted, token, until, self.db, skip=skip)

    def held_by(self, token: str, until: int) -> Taken:
        """The entries of the claim with this token and this end of its lease."""
        return Taken(token, fast_sql.read_claimed(token, until, self.db))

    def claimed(self, ids: Collection[int], token: str) -> SendLogQuerySet:
        """Those of the ids that the claim still holds."""
        return self.filter(pk__in=ids, claim=token)

    def give_back(self, ids: Collection[int], token: str, now: int) -> int:
        """Make entries due at once, as if never claimed. `now`: the database's clock, ms."""
        never_failed = When(batch_limit__isnull=True, then=Value(0))
        return self.claimed(ids, token).update(claim=None, due_at=Case(never_failed, default=Value(now)))

    def mark_sent(
        self, ids: Collection[int], token: str, at: datetime, response_status: int | None, reason: str
    ) -> int:
        """Mark entries as sent. `reason` is empty, or says that the backend sends nothing."""
        return fast_sql.mark_sent(ids, token, at, response_status, reason=reason, using=self.db)

    def mark_skipped(self, ids: Collection[int], token: str, reason: str) -> int:
        """Mark claimed entries as skipped, never to be sent."""
        return self.claimed(ids, token).update(status=Status.SKIPPED, claim=None, due_at=None, reason=reason)

    def set_aside(self, now: int) -> int:
        """Skip pending entries that no worker holds, because staff say so. `now`: the database's clock, ms."""
        reason = reasons.reason(reasons.SET_ASIDE)
        pending = self.filter(status=Status.PENDING).exclude(live_claim(now))
        return pending.update(status=Status.SKIPPED, claim=None, due_at=None, reason=reason)

    def mark_tried(self, ids: Collection[int], token: str, **becomes: Any) -> int:
        """End the claim on entries whose request did not succeed, and set the columns `becomes`."""
        return self.claimed(ids, token).update(claim=None, **becomes)

    def put_off_suspects(self, account_id: str, event_type: str, until: int) -> int:
        """Put off failed entries of an address, if no worker holds them, to `until` (ms) at the earliest."""
        waiting = self.filter(account_id=account_id, event_type=event_type, claim__isnull=True, due_at__lt=until)
        return waiting.filter(due_at__gt=0, batch_limit__isnull=False).update(due_at=until)

    def end_waits(self, account_id: str, event_type: str, now: int) -> int:
        """Make entries of an address due now if they wait after a try that did not count as an attempt."""
        waiting = self.filter(account_id=account_id, event_type=event_type, claim__isnull=True, due_at__gt=now)
        return waiting.filter(waits__gt=F("attempts")).update(due_at=now, waits=F("attempts"))

    def split(self, ids: Collection[int], token: str, **becomes: Any) -> int:
        """Set the columns `becomes` after a shared request failed; the claim goes on, so that fewer share the next."""
        return self.claimed(ids, token).update(**becomes)

    def forget(self, telling: Collection[int] = ()) -> int:
        """Empty the columns that identify a person and keep the rest; pending entries are skipped.

        `telling`: the ids of entries whose reference identifies the person too; one with an @ always does. A worker
        that holds one of the entries loses its claim, and so changes nothing; see `live_claim` for how long it may
        still send it.
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
        """Empty the payloads of sent entries and keep all else, the identity and the status included."""
        return self.with_status(Status.SENT, ids).update(payload="")

    def purge(self, status: str, before: datetime, most: int) -> int:
        """Delete at most `most` entries recorded before a moment, with their attempts, in one short transaction.

        The oldest go first. An entry whose status has changed meanwhile, because it was resent, stays. Returns how many
        were deleted, 0 if none are left.
        """
        old = self.filter(status=status, created_at__lt=before)
        chosen = list(old.order_by("created_at").values_list("pk", flat=True)[:most])
        with transaction.atomic(using=self.db):
            # Lock the rows, so that none is resent now: it would stay, but without its attempts.
            still = list(self._locked(self.with_status(status, chosen)).values_list("pk", flat=True))
            SendAttempt.objects.using(self.db).filter(entry__in=still).delete()
            self.filter(pk__in=still).only("pk").delete()
        return len(still)

    def _locked(self, rows: SendLogQuerySet) -> SendLogQuerySet:
        if not _can_lock_by_select(self.db):
            # SQLite may refuse to write in a transaction that began with a read. An UPDATE that changes nothing locks
            # too; on other databases it would write every index.
            rows.update(status=F("status"))
        return rows.select_for_update()

    def earliest_due(self) -> int | None:
        """When an entry is next due, in ms of the database's clock; 0 if one never failed; None if none is pending."""
        earliest: Iterable[int | None] = (
            self.filter(due_at__isnull=False).order_by("due_at").values_list("due_at", flat=True)[:1]
        )
        return next(iter(earliest), None)

    def due_since(self, now: int) -> datetime | None:
        """Since when the queue's first entry has been due; None if none is due. `now`: the database's clock, ms."""
        first = self.due(now).order_by("due_at", "pk").only("due_at", "created_at")[:1]
        return next((entry.due_moment for entry in first), None)


def _can_lock_by_select(using: str) -> bool:
    return connections[using].features.has_select_for_update


AS_IF_NEW = {
    "status": Status.PENDING, "attempts": 0, "waits": 0, "batch_limit": None, "accepted_before": None,
    "accepted_when_rejected": None, "claim": None, "due_at": 0, "sent_at": None, "response_status": None, "reason": "",
}  # fmt: skip


# Characters. A shorter id may be part of a number by chance.
LONG_ID = 12

# The send log is also the outbox: one entry per event, from the order's transaction to the vendor's answer.


class SendLogEntry(models.Model):
    """One event. Its columns change only through the verbs of `SendLogEntry.objects` (`SendLogQuerySet`)."""

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
    # How often the entry failed alone, counted as attempts or not: it decides the next wait. It has a database default
    # because the INSERT of `fast_sql` omits columns that are the same in every new entry.
    waits: models.PositiveSmallIntegerField[int, int] = models.PositiveSmallIntegerField(
        _("waits"), default=0, db_default=0
    )
    # The value of `Endpoint.accepted` at the entry's last failure, and at its first rejection by the vendor.
    accepted_before: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(
        _("accepted before"), null=True, blank=True
    )
    accepted_when_rejected: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(
        _("accepted when rejected"), null=True, blank=True
    )
    # Milliseconds since 1970 UTC of the database's clock; 0 until a request with it has failed.
    due_at: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(_("due at"), null=True, blank=True)
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
            ("forget_person", _("Can forget a person whose events the send log holds")),
        )
        constraints = (models.UniqueConstraint(fields=["dedup_key"], name="django_vt_dedup_key"),)
        indexes = (
            models.Index(fields=["due_at", "id"], name="django_vt_due_at"),
            # The id at the end lets an index alone answer for the newest entries, and for each page of the admin's
            # list. The operator classes are PostgreSQL's; other databases ignore them. With the first, the index also
            # serves all sessions of a visitor (LIKE 'pixel:…%'), whatever the database's collation.
            models.Index(
                fields=["identity", "id"], name="django_vt_identity", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
            models.Index(fields=["email_hash", "id"], name="django_vt_email_hash"),
            # Here the operator classes serve a search for the beginning of an order number.
            models.Index(
                fields=["reference", "id"], name="django_vt_reference", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
            models.Index(fields=["created_at"], name="django_vt_created_at"),
            models.Index(fields=["sent_at"], name="django_vt_sent_at"),
            models.Index(fields=["status", "created_at", "id"], name="django_vt_status"),
            models.Index(fields=["event_type", "created_at", "id"], name="django_vt_event_type"),
            models.Index(fields=["status", "event_type", "created_at", "id"], name="django_vt_status_and_type"),
        )

    def __str__(self) -> str:
        reference = "" if self.is_told_by_reference else showable(self.reference)
        return f"{event_name(self.event_type)} {reference}".strip()

    @property
    def known_by(self) -> list[str]:
        """The ids that identify the person: those of the identity, whole and in parts, and the e-mail hash."""
        way, _colon, value = self.identity.partition(":")
        ids = [value, *value.split("_")] if way == "pixel" else [value] if way == "vtsid" else []
        return [each for each in (*ids, self.email_hash) if each]

    @property
    def is_told_by_reference(self) -> bool:
        """Whether the reference identifies the person: it equals one of `known_by`, or holds a long one of these."""
        return any(
            each == self.reference or (len(each) >= LONG_ID and each in self.reference) for each in self.known_by
        )

    @property
    def due_moment(self) -> datetime | None:
        """`due_at` as a datetime; if it is 0, the time of recording. None if the entry will not be tried any more."""
        if self.due_at is None:
            return None
        return moment(self.due_at) if self.due_at else self.created_at

    @property
    def event(self) -> dict[str, Any] | None:
        """The parsed payload; None if it was emptied, if the event was invalid, or if the text is no JSON object."""
        return object_of(self.payload)


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
