"""What keeps events from being sent, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from django_vt.conf import settings
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
    for endpoint in endpoints(using):
        if not endpoint.is_open():
            yield f"Sending for account {endpoint.account_id} {pause(endpoint)}."


def endpoints(using: str) -> list[Endpoint]:
    """Those at the address of the settings, an account each."""
    return list(Endpoint.objects.using(using).filter(address=settings.ENDPOINT).order_by("account_id"))


def pause(endpoint: Endpoint) -> str:
    """Until when an endpoint is paused, and why."""
    why = f"{reasons.in_english(endpoint.reason)}; {wording.count(endpoint.consecutive_failures, 'failure')} in a row"
    if endpoint.paused_until is None or not endpoint.is_paused(timezone.now()):
        return f"is paused until the next request succeeds ({why})"
    return f"is paused until {wording.moment(endpoint.paused_until)} ({why})"
