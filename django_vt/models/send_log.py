"""The verbs by which entries of the send log change.

A worker's verbs name its claim: a worker that lost its lease, and so its claim, changes nothing.
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
    """Where an entry stands."""

    # With a context: in other languages such words agree with what they are said of.
    PENDING = "pending", pgettext_lazy("send log entry", "pending")  # due at `due_at`, or with a worker until then
    SENT = "sent", pgettext_lazy("send log entry", "sent")  # the vendor answered 2xx
    FAILED = "failed", pgettext_lazy("send log entry", "failed")  # for good: `reason` says why
    SKIPPED = "skipped", pgettext_lazy("send log entry", "skipped")  # never to be sent: `reason` says why


def live_claim(now: int) -> Q:
    """What a worker has in its hands. `now`: the database's clock, ms.

    A lease that ends later than LEASE from now is none: a clock was wrong when it was taken.
    """
    return Q(claim__isnull=False, due_at__gt=now, due_at__lte=_latest_lease(now))


def _latest_lease(now: int) -> int:
    return now + int(settings.LEASE * 1000) + READINGS_APART


class SendLogQuerySet(models.QuerySet["SendLogEntry"]):
    """Queries and verbs of the send log."""

    def due(self, now: int) -> SendLogQuerySet:
        """Entries to be tried now, among them those whose worker's lease ran out. `now`: the database's clock, ms."""
        return self.filter(due_at__lte=now)

    def bring_back(self, now: int, longest_delay: float) -> int:
        """Make due what lies further ahead than it can: a clock was wrong when that was stored.

        `now`: the database's clock, ms. `longest_delay`: the longest that an entry waits for its next try, seconds.
        """
        too_far = Q(due_at__gt=now + int(longest_delay * 1000) + READINGS_APART) | Q(
            claim__isnull=False, due_at__gt=_latest_lease(now)
        )
        return self.filter(too_far).update(due_at=now, claim=None)

    def with_status(self, status: str, ids: Collection[int]) -> SendLogQuerySet:
        """Those of the ids that have the status; found by the ids, whatever the planner thinks of the status.

        SQLite, which nobody gathers statistics for, would read all entries that have it.
        """
        return self.filter(pk__in=ids).alias(its_status=unindexed("status")).filter(its_status=status)

    def can_be_sent(self) -> SendLogQuerySet:
        """Entries that hold an event and somebody to attribute it to."""
        return self.exclude(payload="").exclude(identity="")

    def resend(self, account_id: str, now: int) -> int:
        """Pending again, attempts 0, due now: what holds an event and somebody to attribute it to.

        Entries under a live claim stay as they are. What was recorded while no account was configured goes to
        `account_id`. `now`: the database's clock, ms. Returns how many were reopened.
        """
        account = Case(When(account_id="", then=Value(account_id)), default=F("account_id"))
        return self.can_be_sent().exclude(live_claim(now)).reopen(account_id=account, due_at=now)

    def renew(self, **content: Any) -> int:
        """Pending again with a new payload and identity: what was skipped or had failed, but not the forgotten."""
        forgotten = reasons.reason(reasons.FORGOTTEN)
        return self.filter(status__in=(Status.SKIPPED, Status.FAILED)).exclude(reason=forgotten).reopen(**content)

    def reopen(self, **changes: Any) -> int:
        """What `resend` and `renew` share: pending, as if never tried."""
        return self.update(**{**AS_IF_NEW, **changes})

    def take(self, wanted: Wanted, token: str, until: int, *, skip: int = 0) -> Taken:
        """Claim entries that are due, until a moment (ms of the database's clock); committed at once.

        Django refuses it inside a transaction, where nobody else could see the claim.
        """
        with transaction.atomic(using=self.db, durable=True):
            return fast_sql.claim(wanted, token, until, self.db, skip=skip)

    def held_by(self, token: str, until: int) -> Taken:
        """What a claim holds that was taken until that moment."""
        return Taken(token, fast_sql.read_claimed(token, until, self.db))

    def claimed(self, ids: Collection[int], token: str) -> SendLogQuerySet:
        """Those of the ids that the claim still holds."""
        return self.filter(pk__in=ids, claim=token)

    def give_back(self, ids: Collection[int], token: str, now: int) -> int:
        """Due again at once, as if never claimed. `now`: the database's clock, ms."""
        never_failed = When(batch_limit__isnull=True, then=Value(0))
        return self.claimed(ids, token).update(claim=None, due_at=Case(never_failed, default=Value(now)))

    def mark_sent(
        self, ids: Collection[int], token: str, at: datetime, response_status: int | None, reason: str
    ) -> int:
        """The vendor has them; `reason` says so where a backend only took them."""
        return fast_sql.mark_sent(ids, token, at, response_status, reason=reason, using=self.db)

    def mark_skipped(self, ids: Collection[int], token: str, reason: str) -> int:
        """Not to be sent any more."""
        return self.claimed(ids, token).update(status=Status.SKIPPED, claim=None, due_at=None, reason=reason)

    def set_aside(self, now: int) -> int:
        """Not to be sent, as staff say: what is pending and in nobody's hands. `now`: the database's clock, ms."""
        reason = reasons.reason(reasons.SET_ASIDE)
        pending = self.filter(status=Status.PENDING).exclude(live_claim(now))
        return pending.update(status=Status.SKIPPED, claim=None, due_at=None, reason=reason)

    def mark_tried(self, ids: Collection[int], token: str, **becomes: Any) -> int:
        """A request with them did not succeed; `becomes` says what follows. The claim ends."""
        return self.claimed(ids, token).update(claim=None, **becomes)

    def put_off_suspects(self, account_id: str, event_type: str, until: int) -> int:
        """Due no sooner than then (ms): what has failed and nobody has in hand, at an address that accepts nothing."""
        waiting = self.filter(account_id=account_id, event_type=event_type, claim__isnull=True, due_at__lt=until)
        return waiting.filter(due_at__gt=0, batch_limit__isnull=False).update(due_at=until)

    def end_waits(self, account_id: str, event_type: str, now: int) -> int:
        """Due now: what waits for its next try after one that did not count, at an address that accepts again."""
        waiting = self.filter(account_id=account_id, event_type=event_type, claim__isnull=True, due_at__gt=now)
        return waiting.filter(waits__gt=F("attempts")).update(due_at=now, waits=F("attempts"))

    def split(self, ids: Collection[int], token: str, **becomes: Any) -> int:
        """A request that they shared was rejected: fewer shall share the next. The claim goes on."""
        return self.claimed(ids, token).update(**becomes)

    def forget(self, telling: Collection[int] = ()) -> int:
        """Empty what tells of a person and leave the skeleton; what was pending is never sent.

        `telling` are those whose reference tells of the person too; one that may be an address always does. A worker
        that has one of them in its hands has lost its claim, and so changes nothing; see `live_claim` for how
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
            # Locked: from then on nobody resends one, which would lose its attempts though it stays.
            still = list(self._locked(self.with_status(status, chosen)).values_list("pk", flat=True))
            SendAttempt.objects.using(self.db).filter(entry__in=still).delete()
            self.filter(pk__in=still).only("pk").delete()
        return len(still)

    def _locked(self, rows: SendLogQuerySet) -> SendLogQuerySet:
        if not _can_lock_by_select(self.db):
            # SQLite refuses to write in a transaction that began to read. An UPDATE that changes nothing locks too;
            # elsewhere that would go through every index.
            rows.update(status=F("status"))
        return rows.select_for_update()

    def earliest_due(self) -> int | None:
        """When something is next due, ms of the database's clock; 0: what never failed. None: nothing is pending."""
        earliest: Iterable[int | None] = (
            self.filter(due_at__isnull=False).order_by("due_at").values_list("due_at", flat=True)[:1]
        )
        return next(iter(earliest), None)

    def due_since(self, now: int) -> datetime | None:
        """Since when the first of the queue has been due; None where nothing is. `now`: the database's clock, ms."""
        first = self.due(now).order_by("due_at", "pk").only("due_at", "created_at")[:1]
        return next((entry.due_moment for entry in first), None)


def _can_lock_by_select(using: str) -> bool:
    return connections[using].features.has_select_for_update


AS_IF_NEW = {
    "status": Status.PENDING, "attempts": 0, "waits": 0, "batch_limit": None, "accepted_before": None,
    "accepted_when_rejected": None, "claim": None, "due_at": 0, "sent_at": None, "response_status": None, "reason": "",
}  # fmt: skip


# Characters. A shorter id is part of any number.
LONG_ID = 12

# The send log: an entry an event, from the order's transaction to the vendor's answer. It is the outbox too.


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
    # Lone tries that failed, counted as attempts or not: the next wait's length. A default of the database's: the
    # INSERT of `fast_sql` names no column that every new entry has alike.
    waits: models.PositiveSmallIntegerField[int, int] = models.PositiveSmallIntegerField(
        _("waits"), default=0, db_default=0
    )
    # `Endpoint.accepted` as it was at the entry's last failure, and when the vendor first rejected it.
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
            # With the id at the end they answer alone for the newest of any, and for any page of the admin's list.
            # The operator classes are PostgreSQL's, and others ignore them: with the first, one index serves the ids of
            # all of a visitor's sessions (LIKE 'pixel:…%') too, whatever the database's collation.
            models.Index(
                fields=["identity", "id"], name="django_vt_identity", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
            models.Index(fields=["email_hash", "id"], name="django_vt_email_hash"),
            # Here they serve the beginning of an order's number.
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
        """By what its person is known beside an address: the ids of the identity, whole and in parts, and the hash."""
        way, _colon, value = self.identity.partition(":")
        ids = [value, *value.split("_")] if way == "pixel" else [value] if way == "vtsid" else []
        return [each for each in (*ids, self.email_hash) if each]

    @property
    def is_told_by_reference(self) -> bool:
        """Whether the reference tells whose it is: is one of these, or holds one; a short one is part of any number."""
        return any(
            each == self.reference or (len(each) >= LONG_ID and each in self.reference) for each in self.known_by
        )

    @property
    def due_moment(self) -> datetime | None:
        """`due_at` for people: 0 is since it was recorded. None: nothing more will be tried."""
        if self.due_at is None:
            return None
        return moment(self.due_at) if self.due_at else self.created_at

    @property
    def event(self) -> dict[str, Any] | None:
        """What is sent, parsed; None where the payload was emptied, the event was invalid, or the text is no event."""
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
