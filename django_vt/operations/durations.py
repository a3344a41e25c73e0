"""Durations in words: `4 minutes`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.timesince import timesince
from django.utils.translation import gettext as _

MINUTE = timedelta(minutes=1)


def in_words(length: timedelta) -> str:
    """A duration in its largest unit, in the active language."""
    if length < MINUTE:
        return _("less than a minute")
    # `timesince` takes two moments: any two that are this far apart will do.
    beginning = datetime(2001, 1, 1)  # noqa: DTZ001 - both are naive
    return timesince(beginning, beginning + length, depth=1)
