"""The commands' arguments as values.

They are read here and not by argparse, so that `call_command("resend", since="2026-11-01")` is understood as well.
"""

from __future__ import annotations

import re
import sys
from datetime import date, datetime, time, timedelta

from django.conf import settings as django_settings
from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
DURATION = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
LARGEST_ID = 2**63 - 1
MOST_DAYS = 36500.0
FROM_STANDARD_INPUT = "-"


class WrongArgument(CommandError):
    """An argument that makes no sense; exits with 2, as argparse does. The value is not repeated."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"argument {name}: {problem}", returncode=2)


def address(name: str, value: str | None) -> str | None:
    """An address as it was given; for `-` the first line of standard input, as a process list shows arguments."""
    if value != FROM_STANDARD_INPUT:
        return value
    line = sys.stdin.readline().strip()
    if not line:
        raise WrongArgument(name, "standard input holds no address")
    return line


def whole_number(name: str, value: object, *, largest: int = LARGEST_ID) -> int:
    """A whole number above 0."""
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if not 1 <= number <= largest:
        raise WrongArgument(name, f"must be a whole number from 1 to {largest}")
    return number


def number_of_days(name: str, value: object) -> timedelta:
    """Days, also parts of one; 0 too."""
    try:
        days = float(str(value))
    except ValueError:
        days = -1.0
    if not 0 <= days <= MOST_DAYS:
        raise WrongArgument(name, f"must be a number of days from 0 to {MOST_DAYS:.0f}")
    return timedelta(days=days)


def duration(name: str, value: object) -> timedelta:
    """A whole number and its unit: `90s`, `15m`, `2h`, `1d`."""
    found = DURATION.fullmatch(str(value))
    if not found:
        raise WrongArgument(name, "must be a whole number with its unit, such as 90s, 15m, 2h or 1d")
    number, unit = found.groups()
    return timedelta(**{UNITS[unit]: int(number)})


def beginning(name: str, value: object) -> datetime:
    """A moment, or the beginning of a day, in the project's time zone where none is given."""
    return _aware(name, _date_or_datetime(name, value))


def end(name: str, value: object) -> datetime:
    """A moment, or the end of a day: the beginning of the next."""
    given = _date_or_datetime(name, value)
    return _aware(name, given, days=0 if isinstance(given, datetime) else 1)


def _date_or_datetime(name: str, value: object) -> date:
    try:
        given = parse_date(str(value)) or parse_datetime(str(value))
    except ValueError:
        given = None
    if given is None:
        raise WrongArgument(name, "must be an ISO date or time, such as 2026-11-23 or 2026-11-23T14:30")
    return given


def _aware(name: str, given: date, days: int = 0) -> datetime:
    moment = given if isinstance(given, datetime) else datetime.combine(given, time.min)
    try:
        moment += timedelta(days=days)
        if not django_settings.USE_TZ:
            return timezone.make_naive(moment) if timezone.is_aware(moment) else moment
        return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    except OverflowError:
        raise WrongArgument(name, "is too far away") from None
