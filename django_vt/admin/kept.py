"""Figures kept for a minute, so that a list that is looked at often asks for them once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.utils import timezone

KEPT_FOR = timedelta(minutes=1)
T = TypeVar("T")

# Of this process, and not in Django's cache: that one may be a server away, or down, and this page must open then too.
_kept: dict[object, tuple[datetime, Any]] = {}


def for_a_minute(key: object, make: Callable[[], T]) -> T:
    """What `make` gives, made anew when the one kept under the key is older than a minute."""
    now = timezone.now()
    found = _kept.get(key)
    if found is None or not timedelta(0) <= now - found[0] < KEPT_FOR:
        found = _kept[key] = now, make()
    value: T = found[1]
    return value


def forget() -> None:
    """Drop everything, as when staff have changed something and look for its effect."""
    _kept.clear()
