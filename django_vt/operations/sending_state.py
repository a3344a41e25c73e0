"""The state of sending, read from the endpoints: off, held, troubled or open. Also holding and releasing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django_vt.conf import settings
from django_vt.delivery.clock import database_now
from django_vt.delivery.deliver import backend_class
from django_vt.models import Endpoint
from django_vt.models.endpoint import by_address
from django_vt.models.functions import moment


@dataclass(frozen=True)
class SendingState:
    """The state of sending at the moment `now` (`now_ms`: the same in ms since 1970 UTC), by the database's clock.

    `held`: whether staff hold all sending. `endpoints`: the rows for the configured ENDPOINT, one for each account and
    type of event. `held_accounts`: the accounts that are held separately.
    """

    now: datetime
    now_ms: int
    enabled: bool
    held: bool
    endpoints: tuple[Endpoint, ...]
    held_accounts: tuple[str, ...] = ()

    @classmethod
    def seen_on(cls, using: str, account_id: str | None = None) -> SendingState:
        """Read the state, and the clock, of the database `using`: two queries. `account_id`: for this account only."""
        rows = list(Endpoint.objects.using(using).order_by("account_id", "event_type", "pk"))
        if account_id is not None:
            rows = [row for row in rows if row.account_id in {"", account_id}]
        # A hold applies to all addresses: it lasts even if ENDPOINT changes meanwhile.
        held = [row.account_id for row in rows if row.held_by_staff and not row.event_type]
        in_use = tuple(by_address(rows, settings.ENDPOINT).values())
        now = database_now(using)
        accounts = tuple(filter(None, held))
        return cls(moment(now), now, bool(settings.ENABLED), "" in held, in_use, accounts)

    @property
    def state(self) -> Literal["off", "held", "troubled", "open"]:
        """The state that staff must know first: recording is off, sending is held, requests fail, or all is well."""
        if not self.enabled:
            return "off"
        if self.held:
            return "held"
        return "troubled" if self.troubled() else "open"

    @property
    def backend(self) -> type[Any] | None:
        """The class that BACKEND names; None if it cannot be imported. The import may load an HTTP library."""
        try:
            return backend_class()
        except Exception:  # noqa: BLE001 - a module of the project's may raise anything
            return None

    @property
    def sends_for_real(self) -> bool:
        """Whether sent entries have left this machine: a backend for tests or development sends nothing."""
        return bool(self.backend and self.backend.sends)

    def troubled(self) -> list[Endpoint]:
        """The endpoints whose last request failed: they are paused, or wait for their probe."""
        return [endpoint for endpoint in self.endpoints if not endpoint.is_open()]

    def paused_until(self, account_id: str, event_type: str) -> datetime | None:
        """When the pause of the endpoint of an account and a type ends; None if it is not paused."""
        paused = {(each.account_id, each.event_type): each for each in self.endpoints if each.is_paused(self.now_ms)}
        endpoint = paused.get((account_id, event_type))
        return None if endpoint is None else endpoint.paused_until_moment

    def last_success(self) -> datetime | None:
        """When the vendor last accepted a request, at any endpoint."""
        return max((each.last_success_moment for each in self.endpoints if each.last_success_moment), default=None)


# Holding and releasing. While held, events are recorded and wait, in all processes and on all machines.


def hold(using: str, account_id: str = "") -> bool:
    """Hold the sending of one account, or of all, from the next claim on.

    Returns False if it was held already.
    """
    endpoints = Endpoint.objects.using(using)
    is_new = not endpoints.held(account_id)
    endpoints.hold(account_id)
    return is_new


def release(using: str, account_id: str = "") -> bool:
    """Release the sending of one account, or of all, including accounts that are held separately. It wakes no worker.

    Returns whether sending was held. While all sending is held, one account cannot be released alone.
    """
    endpoints = Endpoint.objects.using(using)
    was_held = account_id in endpoints.held_accounts() if account_id else is_held(using)
    endpoints.release(account_id)
    return was_held


def is_held(using: str) -> bool:
    """Whether anything is held: all sending, or that of an account."""
    endpoints = Endpoint.objects.using(using)
    return endpoints.held() or bool(endpoints.held_accounts())
