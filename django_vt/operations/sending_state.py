"""How sending stands, as one look at the endpoints tells it: off, held, in trouble, or open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils import timezone

from django_vt.conf import settings
from django_vt.models import Endpoint


@dataclass(frozen=True)
class SendingState:
    """The state of sending at the moment `now`. `held`: by staff; `endpoints`: those at the address of the settings."""

    now: datetime
    enabled: bool
    held: bool
    endpoints: tuple[Endpoint, ...]

    @classmethod
    def seen_on(cls, using: str) -> SendingState:
        """The state as the database `using` has it: one query."""
        rows = list(Endpoint.objects.using(using).order_by("account_id", "pk"))
        # A hold is for all addresses: it lasts though ENDPOINT is changed meanwhile.
        held = any(endpoint.held_by_staff for endpoint in rows)
        in_use = tuple(endpoint for endpoint in rows if endpoint.address == settings.ENDPOINT)
        return cls(timezone.now(), bool(settings.ENABLED), held, in_use)

    @property
    def state(self) -> Literal["off", "held", "troubled", "open"]:
        """What staff need to know first: nothing is recorded, staff hold sending, requests fail, or all is well."""
        if not self.enabled:
            return "off"
        if self.held:
            return "held"
        return "troubled" if self.troubled() else "open"

    def troubled(self) -> list[Endpoint]:
        """The endpoints whose last request failed: paused, or waiting for the request that shows whether they work."""
        return [endpoint for endpoint in self.endpoints if not endpoint.is_open()]

    def paused_until(self, account_id: str) -> datetime | None:
        """When the pause of an account's endpoint ends, if it is paused."""
        paused = [endpoint for endpoint in self.endpoints if endpoint.is_paused(self.now)]
        return next((endpoint.paused_until for endpoint in paused if endpoint.account_id == account_id), None)

    def last_success(self) -> datetime | None:
        """When the vendor last accepted something, at whichever endpoint."""
        return max((each.last_success_at for each in self.endpoints if each.last_success_at), default=None)
