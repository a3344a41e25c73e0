"""How an account's endpoint is doing: the state that all processes share.

A row is read once a claim, written on failure, and on success at most once a minute.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_vt.protocol import reasons

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 900.0
SUCCESS_WRITTEN_EVERY = timedelta(minutes=1)
LASTING = 900.0  # seconds after which somebody must hear of an outage
TOLD_EVERY = timedelta(hours=1)
SOON_ENOUGH = timedelta(seconds=1)  # two runs that want the same moment work it out some milliseconds apart


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """Queries and verbs over all endpoints."""

    def held(self) -> bool:
        """Whether staff hold sending."""
        return self.filter(held_by_staff=True).exists()

    def hold(self, account_id: str, address: str) -> None:
        """Record and don't send, everywhere, from the next claim on."""
        self.get_or_create(account_id=account_id, address=address)
        self.update(held_by_staff=True)

    def release(self) -> None:
        """Send again."""
        self.update(held_by_staff=False)


class Endpoint(models.Model):
    """An account at an address. Sending is open, paused after a failure, or waiting for its probe to come back."""

    account_id: models.CharField[str, str] = models.CharField(_("account"), max_length=64)
    address: models.CharField[str, str] = models.CharField(_("address"), max_length=255)
    consecutive_failures: models.PositiveIntegerField[int, int] = models.PositiveIntegerField(
        _("consecutive failures"), default=0
    )
    paused_until: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("paused until"), null=True, blank=True
    )
    paused_since: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("paused since"), null=True, blank=True
    )
    paused_by: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(
        _("entry that opened the pause"), null=True, blank=True
    )
    probe: models.CharField[str | None, str | None] = models.CharField(
        _("probe in hand"), max_length=32, null=True, blank=True
    )
    probe_until: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("probe's lease"), null=True, blank=True
    )
    last_success_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("last success"), null=True, blank=True
    )
    reason: models.CharField[str, str] = models.CharField(
        _("reason"), max_length=reasons.MAX_LENGTH, blank=True, default=""
    )
    told_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("told at"), null=True, blank=True
    )
    failure_told_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("failed entry told at"), null=True, blank=True
    )
    next_wake_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("next wake"), null=True, blank=True
    )
    held_by_staff: models.BooleanField[bool, bool] = models.BooleanField(_("held by staff"), default=False)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=["account_id", "address"], name="django_vt_endpoint_key"),)

    def __str__(self) -> str:
        return gettext("%(account)s at %(address)s") % {"account": self.account_id, "address": self.address}

    def is_open(self) -> bool:
        """Whether sending is neither paused nor waiting for a probe."""
        return self.paused_until is None

    def is_paused(self, now: datetime) -> bool:
        """Whether the pause still lasts."""
        return self.paused_until is not None and self.paused_until > now

    def closed_until(self) -> datetime | None:
        """When sending may be tried again: after the pause, or when the probe in hand has run out. None: it is open."""
        if self.paused_until is None or self.probe_until is None:
            return self.paused_until
        return max(self.paused_until, self.probe_until)

    def take_probe(self, lease: float) -> str | None:
        """Become the one that sends the probe, for `lease` seconds; None where another has it."""
        token, now = secrets.token_hex(16), timezone.now()
        free = Q(probe__isnull=True) | Q(probe_until__lte=now)
        taken = self._row(consecutive_failures=self.consecutive_failures).filter(free, paused_until__lte=now)
        if not taken.update(probe=token, probe_until=now + timedelta(seconds=lease)):
            return None
        self.probe = token
        return token

    def give_back_probe(self, token: str) -> None:
        """The probe told nothing: the next worker may send one at once."""
        self._row(probe=token).update(probe=None, probe_until=None)

    def note_success(self, begun_at: datetime) -> None:
        """A request that was begun while sending was open was accepted; written at most once a minute.

        It opens nothing: a pause that came meanwhile stays, as the vendor has asked for it since.
        """
        if self.last_success_at is None or begun_at - self.last_success_at >= SUCCESS_WRITTEN_EVERY:
            self._change(self._row(), last_success_at=begun_at)

    def reopen(self, begun_at: datetime) -> None:
        """A probe, or what was sent in spite of the pause, was accepted: sending is open."""
        self._change(
            self._row(), consecutive_failures=0, paused_until=None, paused_since=None, paused_by=None, probe=None,
            probe_until=None, reason="", last_success_at=begun_at,
        )  # fmt: skip

    def plan_wake(self, at: datetime) -> bool:
        """Whether it is for the caller to see to a run at that time: none is planned sooner, or hardly later.

        A plan in the past came to nothing, or is that of the run which asks.
        """
        planned = self.next_wake_at
        if planned is not None and timezone.now() < planned <= at + SOON_ENOUGH:
            return False
        return self._change(self._row(next_wake_at=planned), next_wake_at=at)

    def pause(self, reason: str, *, retry_after: float | None, opened_by: int | None, tell: bool) -> bool:
        """A request failed: pause, twice as long as the last time, or as long as the vendor asks.

        Of several workers whose requests fail at once only the first counts, the one that finds the row as it was
        read.
        `tell`: the configuration is wrong and somebody must hear of it at once; of any other outage when it lasts for a
        quarter of an hour, or is going to. Returns whether to say so now: once an outage, and of several within an
        hour once.
        """
        now = timezone.now()
        seconds = retry_after if retry_after is not None else self._backoff()
        since = self.paused_since or now
        tells = (tell or max(seconds, (now - since).total_seconds()) >= LASTING) and self._is_untold(since, now)
        changes: dict[str, Any] = {"told_at": now} if tells else {}
        if self.is_open():
            changes.update(paused_by=opened_by, paused_since=now)
        unchanged = self._row(consecutive_failures=self.consecutive_failures, probe=self.probe)
        changed = self._change(
            unchanged, consecutive_failures=self.consecutive_failures + 1,
            paused_until=now + timedelta(seconds=seconds), probe=None, probe_until=None, reason=reason, **changes,
        )  # fmt: skip
        return tells and changed

    def _is_untold(self, since: datetime, now: datetime) -> bool:
        return self.told_at is None or (self.told_at < since and self.told_at <= now - TOLD_EVERY)

    def tells_of_failure(self) -> bool:
        """Whether it is for the caller to say that an entry has failed for good: once an hour, whoever comes first."""
        now = timezone.now()
        long_ago = now - TOLD_EVERY
        if self.failure_told_at is not None and self.failure_told_at > long_ago:
            return False
        untold = Q(failure_told_at__isnull=True) | Q(failure_told_at__lte=long_ago)
        return self._change(self._row().filter(untold), failure_told_at=now)

    def _backoff(self) -> float:
        return float(min(FIRST_PAUSE * 2 ** min(self.consecutive_failures, 20), LONGEST_PAUSE))

    def _row(self, **as_read: Any) -> models.QuerySet[Endpoint]:
        return type(self).objects.using(self._state.db).filter(pk=self.pk, **as_read)

    def _change(self, rows: models.QuerySet[Endpoint], **changes: Any) -> bool:
        changed = bool(rows.update(**changes))
        for name, value in changes.items():
            setattr(self, name, value)
        return changed
