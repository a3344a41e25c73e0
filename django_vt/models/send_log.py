"""The send log: an entry an event, from the order's transaction to the vendor's answer. It is the outbox too."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from django_vt.models.send_log_verbs import SendLogQuerySet
from django_vt.protocol import reasons
from django_vt.protocol.values import showable


class SendLogEntry(models.Model):
    """One event. Its columns change only through the verbs of `SendLogEntry.objects` (`send_log_verbs.py`)."""

    class Status(models.TextChoices):
        """Where an entry stands."""

        # With a context: in other languages such words agree with what they are said of.
        PENDING = "pending", pgettext_lazy("send log entry", "pending")  # due at `due_at`, or with a worker until then
        SENT = "sent", pgettext_lazy("send log entry", "sent")  # the vendor answered 2xx
        FAILED = "failed", pgettext_lazy("send log entry", "failed")  # for good: `reason` says why
        SKIPPED = "skipped", pgettext_lazy("send log entry", "skipped")  # never to be sent: `reason` says why

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
