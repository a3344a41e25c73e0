"""The state of each of the vendor's addresses, shared by all processes.

There is one address for each account and event type: `<address>/<account_id>/<event_type>`. A row is read once a claim.
It is written on each failure; on success once a minute, or when an entry waits for a success.

Times are milliseconds since 1970 UTC of the database's clock. The properties `…_moment` are the same as datetimes.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_vt.models.functions import READINGS_APART, moment
from django_vt.protocol import reasons

SUCCESS_WRITTEN_EVERY = 60_000  # ms
LASTING = 900_000  # ms after which an outage is logged at ERROR
TOLD_EVERY = 3_600_000  # ms
MAILED_EVERY = 24 * 3_600_000  # ms
LONGEST_PAUSE = 3_600_000  # ms; a pause that ends later was stored by a wrong clock
SOON_ENOUGH = 1_000  # ms: two runs that plan the same moment may differ by some milliseconds


def key_of(account_id: str, event_type: str, address: str) -> str:
    """The unique key of an address: a hash, because MariaDB's unique keys ignore case, accents and trailing blanks."""
    return hashlib.sha256("\0".join((account_id, event_type, address)).encode(errors="surrogatepass")).hexdigest()


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """Queries and verbs over all endpoints."""

    def at(self, address: str) -> list[Endpoint]:
        """The rows of the accounts and types at an address, compared byte by byte; without the rows of holds."""
        rows = self.filter(address=address).exclude(event_type="").order_by("account_id", "event_type")
        return [endpoint for endpoint in rows if endpoint.address == address]

    def row_of(self, account_id: str, event_type: str, address: str) -> Endpoint:
        """The row of an address; it is created if there is none yet."""
        values = {"account_id": account_id, "event_type": event_type, "address": address}
        return self.get_or_create(key=key_of(**values), defaults=values)[0]

    def row_of_account(self, account_id: str = "") -> Endpoint:
        """The row that stands for a whole account, or for the whole database if `account_id` is empty."""
        return self.row_of(account_id, "", "")

    def held(self, account_id: str = "") -> bool:
        """Whether staff hold all sending, or that of the account."""
        keys = {key_of(account, "", "") for account in ("", account_id)}
        return self.filter(held_by_staff=True, key__in=keys).exists()

    def held_accounts(self) -> list[str]:
        """The accounts that are held separately."""
        held = self.filter(held_by_staff=True, event_type="").exclude(account_id="").order_by("account_id")
        return list(held.values_list("account_id", flat=True))

    def hold(self, account_id: str = "") -> None:
        """From the next claim on, only record the events of an account, or all events, and do not send them."""
        row = self.row_of_account(account_id)
        self.filter(pk=row.pk).update(held_by_staff=True)

    def release(self, account_id: str = "") -> None:
        """Send the account's events again; if it is empty, all events, even of accounts held separately."""
        held = self.filter(held_by_staff=True)
        (held.filter(key=key_of(account_id, "", "")) if account_id else held).update(held_by_staff=False)


class Endpoint(models.Model):
    """One address of the vendor. Sending to it is open, paused after failures, or waiting for its probe to return.

    A row without `event_type` stands for a whole account, or, if it has no account either, for the whole database. It
    says whether staff hold sending, and when a queue's next run is planned.
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
    # Of the row of an account: when the last mail was sent of an outage, and of an entry that failed for good.
    outage_mailed_at: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(
        _("outage mailed at"), null=True, blank=True
    )
    failure_mailed_at: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(
        _("failed entry mailed at"), null=True, blank=True
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
        """Save the row with the key made from its account, type and address."""
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
        """When sending may be tried again: after the pause, or when the current probe's lease ends. None if it is open.

        `now`: the database's clock, ms. `lease`: seconds. A moment further ahead than possible counts as past.
        """
        if self.paused_until is None:
            return None
        pause_end = self.paused_until if self.paused_until <= now + LONGEST_PAUSE else now
        probe_end = self.probe_until or 0
        return max(pause_end, probe_end if probe_end <= now + int(lease * 1000) + READINGS_APART else 0)

    # Verbs

    def take_probe(self, now: int, lease: float) -> str | None:
        """Lease the probe for `lease` seconds and return its token; None if another worker has it. `now`: ms."""
        token, until = secrets.token_hex(16), now + int(lease * 1000)
        free = Q(probe__isnull=True) | Q(probe_until__lte=now) | Q(probe_until__gt=until + READINGS_APART)
        over = Q(paused_until__lte=now) | Q(paused_until__gt=now + LONGEST_PAUSE)
        taken = self._row(consecutive_failures=self.consecutive_failures).filter(free, over)
        if not taken.update(probe=token, probe_until=until):
            return None
        self.probe, self.probe_until = token, until
        return token

    def give_back_probe(self, token: str) -> None:
        """Give back a probe that had no result: any worker may send one at once."""
        self._row(probe=token).update(probe=None, probe_until=None)

    def note_success(self, now: int) -> None:
        """Note that a request was accepted while sending was open; written once a minute, or if it is `awaited`.

        This ends no pause: one that began meanwhile is newer than the request. `now`: ms.
        """
        written = self.last_success_at
        if self.awaited or written is None or not now - SUCCESS_WRITTEN_EVERY < written <= now:
            self._change(self._row(), accepted=F("accepted") + 1, awaited=False, last_success_at=now)

    def recover(self, now: int, *, patience: int, counts: bool) -> None:
        """Open sending, because a request was accepted after others had failed. `now`: ms.

        `counts`: the request was begun after the last failure, so it counts for entries that wait for a success.
        """
        counted = {"accepted": F("accepted") + 1, "awaited": False} if counts else {}
        self._change(
            self._row(), failures_in_row=0, suspects_failures=0, patience=patience, consecutive_failures=0,
            paused_until=None, paused_since=None, probe=None, probe_until=None, reason="", last_success_at=now,
            **counted,
        )  # fmt: skip

    def set_patience(self, patience: int) -> None:
        """Set how many requests must fail in a row before sending pauses."""
        self._change(self._row(), patience=patience)

    def await_success(self) -> int:
        """Have the next success written at once, because a failed entry waits for one.

        Returns the number of successes so far. It is read anew, to include what other workers have counted.
        """
        self._row().update(awaited=True)
        self._read_anew("accepted", "awaited", "told_at")
        return self.accepted

    def note_failure(self, now: int) -> int:
        """Note that a request without suspects failed; returns how many such have failed in a row. `now`: ms."""
        self._change(self._row(), failures_in_row=F("failures_in_row") + 1, **self._since(now))
        return self.failures_in_row

    def note_suspects_failure(self, now: int) -> int:
        """Note that a request with suspects failed; returns how many have since anything was accepted. `now`: ms."""
        self._change(self._row(), suspects_failures=F("suspects_failures") + 1, **self._since(now))
        return self.suspects_failures

    def _since(self, now: int) -> dict[str, int]:
        return {"paused_since": now} if self.paused_since is None else {}

    def plan_wake(self, at: int, now: int) -> bool:
        """True if the caller must schedule the run: no earlier or nearly equal wake is planned. Both: ms.

        A planned wake in the past was lost, or has started the run that asks now.
        """
        planned = self.next_wake_at
        if planned is not None and now < planned <= at + SOON_ENOUGH:
            return False
        return self._change(self._row(next_wake_at=planned), next_wake_at=at)

    def pause(self, reason: str, *, now: int, seconds: float, tell: bool) -> bool:
        """Pause for so many seconds from `now` (ms of the database's clock).

        If the requests of several workers fail at once, only the first pauses: the one that finds the row unchanged.
        `tell`: the configuration is wrong, so log an ERROR at once. Other outages are logged when they last, or will
        last, for a quarter of an hour. Returns True if the caller must log an ERROR now: once per outage, at most
        hourly.
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

        For an outage without a pause, because only suspects wait.
        """
        since = self.paused_since
        if since is None or now - since < LASTING or not self._is_untold(since, now):
            return False
        return self._change(self._row(told_at=self.told_at), told_at=now)

    def alerts_of_failure(self, now: int) -> bool:
        """True if the caller must log at ERROR that an entry failed for good: at most once an hour, for all workers."""
        return self._is_first("failure_told_at", TOLD_EVERY, now)

    def mails(self, kind: Literal["outage", "failure"], now: int) -> bool:
        """True if the caller must send a mail now: at most one a day of each kind. `now`: ms."""
        return self._is_first(f"{kind}_mailed_at", MAILED_EVERY, now)

    def _is_first(self, column: str, every: int, now: int) -> bool:
        """Whether nobody else has done it within `every` ms; the column then says that it was done now."""
        last = getattr(self, column)
        if last is not None and now - every < last <= now:
            return False
        return self._change(self._row(**{column: last}), **{column: now})

    def _is_untold(self, since: int, now: int) -> bool:
        told = self.told_at
        return told is None or told > now or (told < since and told <= now - TOLD_EVERY)

    def _row(self, **as_read: Any) -> models.QuerySet[Endpoint]:
        return type(self).objects.using(self._state.db).filter(pk=self.pk, **as_read)

    def _read_anew(self, *fields: str) -> None:
        # Name the alias: a router may send reads to a replica that does not have the row yet.
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
    """The endpoints at an address, by account and event type. Python compares, so case matters on every database."""
    return {
        (endpoint.account_id, endpoint.event_type): endpoint
        for endpoint in rows
        if endpoint.address == address and endpoint.event_type
    }
