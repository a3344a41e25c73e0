"""Lengths of time in words: `4 minutes`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.timesince import timesince
from django.utils.translation import gettext as _

MINUTE = timedelta(minutes=1)


def in_words(length: timedelta) -> str:
    """A length of time in its largest unit, in the language that is active."""
    if length < MINUTE:
        return _("less than a minute")
    # Django words the time between two moments: these are any that lie so far apart.
    beginning = datetime(2001, 1, 1)  # noqa: DTZ001 - both are of no time zone
    return timesince(beginning, beginning + length, depth=1)
