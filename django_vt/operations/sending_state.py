"""What keeps events from being sent, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator

from django_vt.conf import settings
from django_vt.delivery.clock import database_now
from django_vt.models import Endpoint
from django_vt.operations import wording
from django_vt.protocol import reasons

SWITCHED_OFF = 'Nothing is sent: DJANGO_VT["ENABLED"] is False.'
HELD = "Sending is held by staff: events are recorded and wait. `manage.py release_sending` ends that."


def obstacles(using: str) -> Iterator[str]:
    """A sentence for each thing in the way; none where sending is open."""
    if not settings.ENABLED:
        yield SWITCHED_OFF
    if Endpoint.objects.using(using).held():
        yield HELD
    now = database_now(using)
    for endpoint in endpoints(using):
        if not endpoint.is_open():
            whose = f"events of type {endpoint.event_type} for account {endpoint.account_id}"
            yield f"Sending {whose} {pause(endpoint, now)}."


def endpoints(using: str) -> list[Endpoint]:
    """Those at the address of the settings, one for each account and type of event."""
    return Endpoint.objects.using(using).at(settings.ENDPOINT)


def pause(endpoint: Endpoint, now: int) -> str:
    """Until when an endpoint is paused, and why. `now`: the database's clock, ms."""
    why = f"{reasons.in_english(endpoint.reason)}; {wording.count(endpoint.consecutive_failures, 'failure')} in a row"
    until = endpoint.paused_until_moment
    if until is None or not endpoint.is_paused(now):
        return f"is paused until the next request succeeds ({why})"
    return f"is paused until {wording.moment(until)} ({why})"
