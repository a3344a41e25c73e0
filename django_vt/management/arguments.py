"""Parsing the commands' arguments.

They are parsed here and not by argparse, so that `call_command("resend", since="2026-11-01")` works too.
"""

from __future__ import annotations

import re
import sys
from datetime import date, datetime, time, timedelta

from django.conf import settings as django_settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from django_vt.accounts import is_known, known_accounts
from django_vt.conf import account_id_is_usable
from django_vt.models import Endpoint, SendLogEntry

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
DURATION = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
LARGEST_ID = 2**63 - 1
MOST_DAYS = 36500.0
FROM_STANDARD_INPUT = "-"


class WrongArgument(CommandError):
    """An argument is invalid. The command exits with 2, as argparse does. The message does not repeat the value."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"argument {name}: {problem}", returncode=2)


def address(name: str, value: str | None) -> str | None:
    """An address as given; for `-` the first line of standard input, because process lists show arguments."""
    if value != FROM_STANDARD_INPUT:
        return value
    line = sys.stdin.readline().strip()
    if not line:
        raise WrongArgument(name, "standard input holds no address")
    return line


def add_account(parser: CommandParser, what: str) -> None:
    """Add `--account`; `what` begins its help text."""
    parser.add_argument("--account", metavar="ID", help=f"{what} By default all.")


def account(value: str | None, name: str = "--account") -> str | None:
    """An account that the settings name. If a function decides, any usable account id is accepted."""
    if value is None or (is_known(value) and account_id_is_usable(value)):
        return value
    raise WrongArgument(name, f"there is no such account; {known_in_words()}")


def recorded_account(value: str | None, using: str) -> str | None:
    """An account that the settings name, or one with rows in the tables; also an empty one, if entries have none."""
    if value is not None and (
        SendLogEntry.objects.using(using).filter(account_id=value).exists()
        or (value and Endpoint.objects.using(using).filter(account_id=value).exists())
    ):
        return value
    return account(value)


def account_or_all(value: str | None, using: str) -> str:
    """An account; empty means all. An empty value, maybe from an unset variable, is refused and does not mean all."""
    if value == "":
        raise WrongArgument("--account", f"must not be empty; {known_in_words()}")
    return recorded_account(value, using) or ""


def known_in_words() -> str:
    """The accounts that the settings name, in words."""
    known = known_accounts()
    if known is None:
        return 'DJANGO_VT["ACCOUNT_ID"] names a function'
    return f'DJANGO_VT["ACCOUNT_ID"] names {", ".join(known) or "none"}'


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
    """A number of days, maybe with a fraction; 0 is allowed."""
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
    """A moment, or the beginning of a day, by default in the project's time zone."""
    return _aware(name, _date_or_datetime(name, value))


def end(name: str, value: object) -> datetime:
    """A moment, or the end of a day, which is the beginning of the next."""
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
