"""Spans of time in words: `4 minutes`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _

MINUTE = timedelta(minutes=1)


def until(moment: datetime, now: datetime) -> str:
    """How long until a moment to come."""
    return timeuntil(moment, now, depth=1) if moment - now >= MINUTE else _("less than a minute")


def since(moment: datetime, now: datetime) -> str:
    """How long since a moment gone by."""
    return timesince(moment, now, depth=1) if now - moment >= MINUTE else _("less than a minute")
