"""How each address of the vendor is doing: the state that all processes share.

An address is an account's and an event type's, as it is called: `<address>/<account_id>/<event_type>`. A row is read
once a claim and written on failure; on success once a minute, or when somebody waits to hear of one.

Times are milliseconds since 1970 UTC of the database's clock. The properties `…_at_moment` give them to people.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_vt.models.functions import READINGS_APART, moment
from django_vt.protocol import reasons

SUCCESS_WRITTEN_EVERY = 60_000  # ms
LASTING = 900_000  # ms after which somebody must hear of an outage
TOLD_EVERY = 3_600_000  # ms
LONGEST_PAUSE = 3_600_000  # ms; what is paused for longer was stored by a wrong clock
SOON_ENOUGH = 1_000  # ms: two runs that want the same moment work it out some milliseconds apart


def key_of(account_id: str, event_type: str, address: str) -> str:
    """The unique key of an address: a hash, as MariaDB's unique keys ignore case, accents and trailing blanks."""
    return hashlib.sha256("\0".join((account_id, event_type, address)).encode(errors="surrogatepass")).hexdigest()


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """Queries and verbs over all endpoints."""

    def at(self, address: str) -> list[Endpoint]:
        """The rows of the accounts and types at an address, compared by the byte; a hold's are not among them."""
        rows = self.filter(address=address).exclude(event_type="").order_by("account_id", "event_type")
        return [endpoint for endpoint in rows if endpoint.address == address]

    def row_of(self, account_id: str, event_type: str, address: str) -> Endpoint:
        """The row of an address, made where there is none yet."""
        values = {"account_id": account_id, "event_type": event_type, "address": address}
        return self.get_or_create(key=key_of(**values), defaults=values)[0]

    def row_of_account(self, account_id: str = "") -> Endpoint:
        """The row that stands for an account whatever its address and type, or, without one, for the database."""
        return self.row_of(account_id, "", "")

    def held(self, account_id: str = "") -> bool:
        """Whether staff hold sending: all of it, or that of an account."""
        keys = {key_of(account, "", "") for account in ("", account_id)}
        return self.filter(held_by_staff=True, key__in=keys).exists()

    def held_accounts(self) -> list[str]:
        """The accounts whose sending is held apart from the rest."""
        held = self.filter(held_by_staff=True, event_type="").exclude(account_id="").order_by("account_id")
        return list(held.values_list("account_id", flat=True))

    def hold(self, account_id: str = "") -> None:
        """Record and don't send, everywhere, from the next claim on: an account's events, or all."""
        row = self.row_of_account(account_id)
        self.filter(pk=row.pk).update(held_by_staff=True)

    def release(self, account_id: str = "") -> None:
        """Send again: an account's events, or, without one, all, those of accounts that are held apart too."""
        held = self.filter(held_by_staff=True)
        (held.filter(key=key_of(account_id, "", "")) if account_id else held).update(held_by_staff=False)


class Endpoint(models.Model):
    """An address as it is called. Sending to it is open, paused after failures, or waiting for its probe to come back.

    A row without `event_type` stands for an account as a whole, or for the database where it has no account either:
    it holds what staff hold, and when a queue's next run is planned.
    """

    key: models.CharField[str, str] = models.CharField(_("key"), max_length=64)
    account_id: models.CharField[str, str] = models.CharField(_("account"), max_length=64, blank=True, default="")
    event_type: models.CharField[str, str] = models.CharField(_("type"), max_length=64, blank=True, default="")
    address: models.CharField[str, str] = models.CharField(_("address"), max_length=255, blank=True, default="")
    accepted: models.BigIntegerField[int, int] = models.BigIntegerField(_("times accepted, at least"), default=0)
    awaited: models.BooleanField[bool, bool] = models.BooleanField(_("an entry waits for a success"), default=False)
    failures_in_row: models.PositiveIntegerField[int, int] = models.PositiveIntegerField(
        _("failed requests in a row"), default=0
    )
    suspects_failures: models.PositiveIntegerField[int, int] = models.PositiveIntegerField(
        _("failed requests of suspects in a row"), default=0
    )
    patience: models.PositiveSmallIntegerField[int, int] = models.PositiveSmallIntegerField(
        _("failed requests in a row that pause it"), default=2
    )
    consecutive_failures: models.PositiveIntegerField[int, int] = models.PositiveIntegerField(
        _("consecutive failures"), default=0
    )
    paused_until: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(
        _("paused until"), null=True, blank=True
    )
    paused_since: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(
        _("fails since"), null=True, blank=True
    )
    probe: models.CharField[str | None, str | None] = models.CharField(
        _("probe in hand"), max_length=32, null=True, blank=True
    )
    probe_until: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(
        _("probe's lease"), null=True, blank=True
    )
    last_success_at: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(
        _("last success"), null=True, blank=True
    )
    reason: models.CharField[str, str] = models.CharField(
        _("reason"), max_length=reasons.MAX_LENGTH, blank=True, default=""
    )
    told_at: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(
        _("told at"), null=True, blank=True
    )
    failure_told_at: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(
        _("failed entry told at"), null=True, blank=True
    )
    next_wake_at: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(
        _("next wake"), null=True, blank=True
    )
    held_by_staff: models.BooleanField[bool, bool] = models.BooleanField(_("held by staff"), default=False)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=["key"], name="django_vt_endpoint_key"),)

    def __str__(self) -> str:
        if not self.event_type:
            return self.account_id or gettext("all accounts")
        names = {"account": self.account_id, "address": self.address, "type": self.event_type}
        return gettext("%(account)s at %(address)s") % names

    def save(self, **kwargs: Any) -> None:
        """Save, with the key that the row's account, type and address make."""
        self.key = key_of(self.account_id, self.event_type, self.address)
        super().save(**kwargs)

    # For people

    @property
    def paused_until_moment(self) -> datetime | None:
        """`paused_until` as a datetime, comparable with Django's `timezone.now()`."""
        return None if self.paused_until is None else moment(self.paused_until)

    @property
    def paused_since_moment(self) -> datetime | None:
        """`paused_since` as a datetime, comparable with Django's `timezone.now()`."""
        return None if self.paused_since is None else moment(self.paused_since)

    @property
    def last_success_moment(self) -> datetime | None:
        """`last_success_at` as a datetime, comparable with Django's `timezone.now()`."""
        return None if self.last_success_at is None else moment(self.last_success_at)

    # What the columns say

    def is_open(self) -> bool:
        """Whether sending is neither paused nor waiting for a probe."""
        return self.paused_until is None

    def is_paused(self, now: int) -> bool:
        """Whether the pause still lasts. `now`: the database's clock, ms."""
        return self.paused_until is not None and now < self.paused_until <= now + LONGEST_PAUSE

    def closed_until(self, now: int, lease: float) -> int | None:
        """When sending may be tried again: after the pause, or when the probe in hand has run out. None: it is open.

        `now`: the database's clock, ms. `lease`: seconds. What lies further ahead than it can counts as over.
        """
        if self.paused_until is None:
            return None
        pause_end = self.paused_until if self.paused_until <= now + LONGEST_PAUSE else now
        probe_end = self.probe_until or 0
        return max(pause_end, probe_end if probe_end <= now + int(lease * 1000) + READINGS_APART else 0)

    # Verbs

    def take_probe(self, now: int, lease: float) -> str | None:
        """Become the one that sends the probe, for `lease` seconds; None if another has it. `now`: ms."""
        token, until = secrets.token_hex(16), now + int(lease * 1000)
        free = Q(probe__isnull=True) | Q(probe_until__lte=now) | Q(probe_until__gt=until + READINGS_APART)
        over = Q(paused_until__lte=now) | Q(paused_until__gt=now + LONGEST_PAUSE)
        taken = self._row(consecutive_failures=self.consecutive_failures).filter(free, over)
        if not taken.update(probe=token, probe_until=until):
            return None
        self.probe, self.probe_until = token, until
        return token

    def give_back_probe(self, token: str) -> None:
        """The probe told nothing: the next worker may send one at once."""
        self._row(probe=token).update(probe=None, probe_until=None)

    def note_success(self, now: int) -> None:
        """A request was accepted while sending was open. Written if a minute has passed, or if it is `awaited`.

        It opens nothing: a pause that came meanwhile stays, as the vendor has asked for it since. `now`: ms.
        """
        written = self.last_success_at
        if self.awaited or written is None or not now - SUCCESS_WRITTEN_EVERY < written <= now:
            self._change(self._row(), accepted=F("accepted") + 1, awaited=False, last_success_at=now)

    def recover(self, now: int, *, patience: int, counts: bool) -> None:
        """A request was accepted after others had failed: sending is open. `now`: ms.

        `counts`: it was begun after the last failure, so that whoever waits for a success hears of it.
        """
        counted = {"accepted": F("accepted") + 1, "awaited": False} if counts else {}
        self._change(
            self._row(), failures_in_row=0, suspects_failures=0, patience=patience, consecutive_failures=0,
            paused_until=None, paused_since=None, probe=None, probe_until=None, reason="", last_success_at=now,
            **counted,
        )  # fmt: skip

    def set_patience(self, patience: int) -> None:
        """So many requests must fail in a row for sending to pause."""
        self._change(self._row(), patience=patience)

    def await_success(self) -> int:
        """Have the next success counted at once: an entry that failed waits to hear of one.

        Returns how many are counted so far, which is read anew: what other workers have counted is not news.
        """
        self._row().update(awaited=True)
        self._read_anew("accepted", "awaited", "told_at")
        return self.accepted

    def note_failure(self, now: int) -> int:
        """A request with entries that are no suspects failed; returns how many such have failed in a row. `now`: ms."""
        self._change(self._row(), failures_in_row=F("failures_in_row") + 1, **self._since(now))
        return self.failures_in_row

    def note_suspects_failure(self, now: int) -> int:
        """A request with suspects failed; returns how many such have failed since anything was accepted. `now`: ms."""
        self._change(self._row(), suspects_failures=F("suspects_failures") + 1, **self._since(now))
        return self.suspects_failures

    def _since(self, now: int) -> dict[str, int]:
        return {"paused_since": now} if self.paused_since is None else {}

    def plan_wake(self, at: int, now: int) -> bool:
        """True if the caller must schedule the run: no earlier or nearly equal wake is planned. Both: ms.

        A plan in the past came to nothing, or is that of the run which asks.
        """
        planned = self.next_wake_at
        if planned is not None and now < planned <= at + SOON_ENOUGH:
            return False
        return self._change(self._row(next_wake_at=planned), next_wake_at=at)

    def pause(self, reason: str, *, now: int, seconds: float, tell: bool) -> bool:
        """Pause for so many seconds from `now` (ms of the database's clock).

        Of several workers whose requests fail at once only the first pauses: the one that finds the row as it was read.
        `tell`: the configuration is wrong and somebody must hear of it at once. Of any other outage somebody must hear
        when it lasts for a quarter of an hour. Returns True if the caller must log an ERROR now: once an outage, and at
        most hourly.
        """
        since = self.paused_since if self.paused_since is not None and self.paused_since <= now else now
        lasts = max(int(seconds * 1000), now - since) >= LASTING
        tells = (tell or lasts) and self._is_untold(since, now)
        changes: dict[str, Any] = {"told_at": now} if tells else {}
        unchanged = self._row(consecutive_failures=self.consecutive_failures, probe=self.probe)
        changed = self._change(
            unchanged, consecutive_failures=self.consecutive_failures + 1, paused_until=now + int(seconds * 1000),
            paused_since=since, probe=None, probe_until=None, reason=reason, **changes,
        )  # fmt: skip
        return tells and changed

    def alerts_of_misconfiguration(self, now: int) -> bool:
        """True if the caller must log an ERROR now: at most hourly, though nothing is paused. `now`: ms."""
        if not self._is_untold(now, now):
            return False
        return self._change(self._row(told_at=self.told_at), told_at=now)

    def alerts_of_outage(self, now: int) -> bool:
        """True if the caller must log an ERROR now: nothing was accepted for a quarter of an hour. `now`: ms.

        For an outage in which sending is not paused, as only suspects wait.
        """
        since = self.paused_since
        if since is None or now - since < LASTING or not self._is_untold(since, now):
            return False
        return self._change(self._row(told_at=self.told_at), told_at=now)

    def alerts_of_failure(self, now: int) -> bool:
        """True if the caller must log at ERROR that an entry failed for good: hourly, whoever comes first."""
        last = self.failure_told_at
        if last is not None and now - TOLD_EVERY < last <= now:
            return False
        return self._change(self._row(failure_told_at=last), failure_told_at=now)

    def _is_untold(self, since: int, now: int) -> bool:
        told = self.told_at
        return told is None or told > now or (told < since and told <= now - TOLD_EVERY)

    def _row(self, **as_read: Any) -> models.QuerySet[Endpoint]:
        return type(self).objects.using(self._state.db).filter(pk=self.pk, **as_read)

    def _read_anew(self, *fields: str) -> None:
        # By its alias: a router may send reads to a replica, which need not know of the row yet.
        self.refresh_from_db(using=self._state.db, fields=fields)

    def _change(self, rows: models.QuerySet[Endpoint], **changes: Any) -> bool:
        changed = bool(rows.update(**changes))
        counted = [name for name, value in changes.items() if not isinstance(value, (str, int, type(None)))]
        for name in changes.keys() - set(counted):
            setattr(self, name, changes[name])
        if counted:
            self._read_anew(*counted)
        return changed


def by_address(rows: Iterable[Endpoint], address: str) -> dict[tuple[str, str], Endpoint]:
    """The endpoints at an address, by account and event type; compared as Python compares, on every database."""
    return {
        (endpoint.account_id, endpoint.event_type): endpoint
        for endpoint in rows
        if endpoint.address == address and endpoint.event_type
    }
