"""What the value of each key of `DJANGO_VT` must be: a closed table, a row a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from django.core.checks import CheckMessage, Error

from django_vt.conf import BLOCK, DEFAULTS, IdentificationWay
from django_vt.events import TYPE_PATTERN
from django_vt.exceptions import InvalidField
from django_vt.protocol import values

WAYS = get_args(IdentificationWay)
OSCAR_ITEM_IDS = ("partner_sku", "upc", "product_id")
YEAR = 365 * 24 * 3600.0  # seconds
CENTURY = 36500.0  # days
LONGEST_COOKIE = 400 * 24 * 3600  # seconds: what browsers keep, by the draft that is to replace RFC 6265
LARGEST_BATCH = 900  # what one claim can hold
SHORTEST_URL, LONGEST_URL = 500, 65536  # bytes: an address and an event fit; no server is known to take more


@dataclass(frozen=True)
class Rule:
    """The words that go on after "must be", and whether a value is that."""

    words: str
    accepts: Callable[[Any], bool]


def check_values(block: Mapping[Any, Any]) -> list[CheckMessage]:
    """An error for each value of a wrong type or out of its range."""
    return [
        Error(
            f'{BLOCK}["{key}"] must be {rule.words}.',
            hint=f"It is {_shown(block[key])}. The default is {DEFAULTS[key]!r}.",
            id="django_vt.E005",
        )
        for key, rule in RULES.items()
        if not is_well_formed(block, key)
    ]


def is_well_formed(block: Mapping[Any, Any], key: str) -> bool:
    """Whether a key is left out or its value is what the table says: only then the finer checks can read it."""
    return key not in block or RULES[key].accepts(block[key])


def _shown(value: object) -> str:
    """What is there. Strings are not repeated: one can have come from the wrong environment variable."""
    if value is None or isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) < YEAR):
        return repr(value)
    return f"of type {type(value).__name__}"


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_string(value: object) -> bool:
    return isinstance(value, str)


def _is_word(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(values.identifier("", value))
    except InvalidField:
        return False


def _is_number(value: object, lowest: float, largest: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and lowest <= value <= largest


def _is_whole_number(value: object, lowest: int, largest: int) -> bool:
    return isinstance(value, int) and _is_number(value, lowest, largest)


def _is_delay(value: object) -> bool:
    return _is_number(value, 0, YEAR)


def _is_time(value: object) -> bool:
    return _is_delay(value) and value != 0


def _is_list(value: object, accepts: Callable[[object], bool]) -> bool:
    return isinstance(value, (list, tuple)) and len(value) > 0 and all(accepts(member) for member in value)


def _is_pair_of_times(value: Any) -> bool:
    return _is_list(value, _is_time) and len(value) == 2


def _is_set_of_ways(value: Any) -> bool:
    return _is_list(value, lambda way: way in WAYS) and len(set(value)) == len(value)


def _is_age(value: object) -> bool:
    return _is_number(value, 0, CENTURY) and value != 0


def _is_times_by_type(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(event_type, str) and TYPE_PATTERN.fullmatch(event_type) and _is_time(age)
        for event_type, age in value.items()
    )


BOOL = Rule("True or False", _is_bool)
STRING = Rule("a string", _is_string)
CLASS_PATH = Rule("the dotted path of a class, as a string", _is_string)

RULES: Mapping[str, Rule] = {
    "ACCOUNT_ID": Rule("a string", lambda value: value is None or _is_string(value)),  # None is missing: django_vt.E002
    "ENDPOINT": STRING,
    "ENABLED": BOOL,
    "BACKEND": CLASS_PATH,
    "DISPATCHER": CLASS_PATH,
    "CALLBACK": Rule("a string of 1 to 255 characters, or None", lambda value: value is None or _is_word(value)),
    "TIMEOUT": Rule("a pair of numbers above 0, in seconds: to connect, to read", _is_pair_of_times),
    "TRUST_ENV": BOOL,
    "BATCH_SIZE": Rule(
        f"a whole number from 1 to {LARGEST_BATCH}", lambda value: _is_whole_number(value, 1, LARGEST_BATCH)
    ),
    "MAX_URL_LENGTH": Rule(
        f"a whole number of bytes from {SHORTEST_URL} to {LONGEST_URL}",
        lambda value: _is_whole_number(value, SHORTEST_URL, LONGEST_URL),
    ),
    "RETRY_DELAYS": Rule(
        "a list of one or more numbers, 0 or above and in seconds", lambda value: _is_list(value, _is_delay)
    ),
    "LEASE": Rule("a number of seconds above 0", _is_time),
    "MAX_AGE": Rule("a dict from event types to numbers of seconds above 0", _is_times_by_type),
    "IDENTIFY_BY": Rule(f"a list of one or more of {', '.join(map(repr, WAYS))}, each once", _is_set_of_ways),
    "TRACK_LOGINS": Rule('True, False or "all"', lambda value: _is_bool(value) or value == "all"),
    "LOGIN_SOURCE": Rule("a string of 1 to 255 characters", _is_word),
    "BEFORE_RECORD": Rule(
        "the dotted path of a callable, as a string, or None", lambda value: value is None or _is_string(value)
    ),
    "ORDERS": Rule(
        "the dotted path of a callable, as a string, or None", lambda value: value is None or _is_string(value)
    ),
    "FAIL_SILENTLY": BOOL,
    "OSCAR_ITEM_ID": Rule(f"one of {', '.join(map(repr, OSCAR_ITEM_IDS))}", lambda value: value in OSCAR_ITEM_IDS),
    "ISSUE_VTSID": Rule(
        "True, False or the dotted path of a callable, as a string",
        lambda value: _is_bool(value) or _is_string(value),
    ),
    "VTSID_AGE": Rule(
        f"a whole number of seconds from 1 to {LONGEST_COOKIE}",
        lambda value: _is_whole_number(value, 1, LONGEST_COOKIE),
    ),
    "RETENTION_DAYS": Rule("a number of days above 0", _is_age),
    "PAYLOAD_DAYS": Rule("a number of days above 0, or None", lambda value: value is None or _is_age(value)),
}
