"""Times and counts as the commands print them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def span(length: timedelta) -> str:
    """A length of time in its largest unit: `20 minutes`."""
    seconds = max(0, int(length.total_seconds()))
    for name, size in UNITS:
        if seconds >= size:
            return count(seconds // size, name)
    return count(seconds, "second")


def moment(when: datetime) -> str:
    """A moment in the project's time zone."""
    return (
        f"{timezone.localtime(when):%Y-%m-%d %H:%M:%S %Z}" if timezone.is_aware(when) else f"{when:%Y-%m-%d %H:%M:%S}"
    )


def count(number: int, one: str, several: str | None = None) -> str:
    """`1 entry`, `1,234 entries`."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def entries(number: int) -> str:
    """So many entries."""
    return count(number, "entry", "entries")
