"""How sending stands, as one look at the endpoints tells it: off, held, paused, trying again, or open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from django_vt.admin import durations
from django_vt.conf import settings
from django_vt.models import Endpoint
from django_vt.protocol import reasons


@dataclass(frozen=True)
class Sending:
    """The state of sending at the moment `now`. `held`: by staff; `endpoints`: those at the address of the settings."""

    now: datetime
    enabled: bool
    held: bool
    endpoints: tuple[Endpoint, ...]

    @classmethod
    def seen_on(cls, using: str) -> Sending:
        """The state as the database `using` has it: one query."""
        rows = list(Endpoint.objects.using(using).order_by("pk"))
        # A hold is for all addresses: it lasts though ENDPOINT is changed meanwhile.
        held = any(endpoint.held_by_staff for endpoint in rows)
        in_use = tuple(endpoint for endpoint in rows if endpoint.address == settings.ENDPOINT)
        return cls(timezone.now(), settings.ENABLED, held, in_use)

    def paused_until(self, account_id: str) -> datetime | None:
        """When the pause of an account's endpoint ends, if it is paused."""
        paused = [endpoint for endpoint in self.endpoints if endpoint.is_paused(self.now)]
        return next((endpoint.paused_until for endpoint in paused if endpoint.account_id == account_id), None)

    @property
    def state(self) -> str:
        """One of `off`, `held`, `troubled` and `open`."""
        if not self.enabled:
            return "off"
        if self.held:
            return "held"
        return "open" if all(endpoint.is_open() for endpoint in self.endpoints) else "troubled"

    def sentences(self) -> list[str]:
        """The state in words, an account with trouble each a sentence."""
        if self.state == "off":
            return [_("Sending is switched off in the settings (ENABLED): nothing is recorded and nothing sent.")]
        if self.state == "held":
            return [_("Sending is held: events are recorded and wait until it is released.")]
        if self.state == "open":
            return [self._open()]
        return [self._trouble(endpoint) for endpoint in self.endpoints if not endpoint.is_open()]

    def _open(self) -> str:
        successes = [endpoint.last_success_at for endpoint in self.endpoints if endpoint.last_success_at]
        if not successes:
            return _("Sending is open.")
        return _("Sending is open; Vibetrace last accepted events %(time)s ago.") % {
            "time": durations.since(max(successes), self.now)
        }

    def _trouble(self, endpoint: Endpoint) -> str:
        words = {"account": endpoint.account_id, "reason": reasons.describe(endpoint.reason)}
        if endpoint.paused_until is None or not endpoint.is_paused(self.now):
            return _("Account %(account)s: the next event will show whether sending works again. %(reason)s.") % words
        return _("Account %(account)s: sending is paused for %(time)s. %(reason)s.") % {
            **words,
            "time": durations.until(endpoint.paused_until, self.now),
        }
