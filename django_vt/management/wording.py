"""Times, counts and the state of sending as the commands print them, in English whatever the project's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.utils import timezone, translation

from django_vt.models import Endpoint
from django_vt.operations import durations
from django_vt.operations.sending_state import SendingState
from django_vt.protocol import reasons

SWITCHED_OFF = 'Nothing is sent: DJANGO_VT["ENABLED"] is False.'
HELD = "Sending is held by staff: events are recorded and wait. `manage.py release_sending` ends that."


def span(length: timedelta) -> str:
    """A duration in its largest unit: `20 minutes`."""
    with translation.override(None):
        return durations.in_words(length).replace("\xa0", " ")


def moment(when: datetime) -> str:
    """A moment in the project's time zone."""
    return (
        f"{timezone.localtime(when):%Y-%m-%d %H:%M:%S %Z}" if timezone.is_aware(when) else f"{when:%Y-%m-%d %H:%M:%S}"
    )


def count(number: int, one: str, several: str | None = None) -> str:
    """`1 entry`, `1,234 entries`."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def entries(number: int) -> str:
    """A number of entries: `1,234 entries`."""
    return count(number, "entry", "entries")


def not_for_real(sending: SendingState) -> str:
    """The sentence for a backend that does not send for real, or cannot be imported."""
    if sending.backend is None:
        return "Nothing is sent: BACKEND names what cannot be imported. `manage.py check` says why."
    return f"{sending.backend.__name__} does not send for real: what is called sent has not left."


def obstacles(sending: SendingState) -> Iterator[str]:
    """A sentence for each obstacle to sending, which says what to do; none if sending is open."""
    if not sending.enabled:
        yield SWITCHED_OFF
    if sending.held:
        yield HELD
    yield from held_accounts(sending)
    for endpoint in sending.troubled():
        whose = f"events of type {endpoint.event_type} for account {endpoint.account_id}"
        yield f"Sending {whose} {pause(endpoint, sending.now_ms)}."


def held_accounts(sending: SendingState) -> Iterator[str]:
    """A sentence for each account that staff hold separately."""
    for account_id in sending.held_accounts:
        yield (
            f"Sending for account {account_id} is held by staff: its events are recorded and wait. "
            f"`manage.py release_sending --account {account_id}` ends that."
        )


def strangers(waiting: Mapping[str, int]) -> Iterator[str]:
    """A sentence for each account that the settings do not name and that has pending entries."""
    for account_id, number in waiting.items():
        yield (
            f'Account {account_id} is none that DJANGO_VT["ACCOUNT_ID"] names: {entries(number)} of it wait and are '
            "not sent."
        )


def pause(endpoint: Endpoint, now: int) -> str:
    """Until when an endpoint is paused, and why. `now`: the database's clock, ms."""
    why = f"{reasons.in_english(endpoint.reason)}; {count(endpoint.consecutive_failures, 'failure')} in a row"
    until = endpoint.paused_until_moment
    if until is None or not endpoint.is_paused(now):
        return f"is paused until the next request succeeds ({why})"
    return f"is paused until {moment(until)} ({why})"
