"""The rules that the values of settings must keep; `django_vt.conf` names one beside each default."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django_vt.exceptions import InvalidField
from django_vt.protocol import addresses, values

YEAR = 365 * 24 * 3600.0  # seconds
CENTURY = 36500.0  # days
HEADER_PATTERN = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)  # the names that servers accept (RFC 9110, without _)


def is_string(value: object) -> bool:
    """Whether the value is a string."""
    return isinstance(value, str)


def is_dotted_path(value: object) -> bool:
    """Whether the value is Python identifiers joined by dots; `acc.123` is not."""
    return isinstance(value, str) and "." in value and _is_dotted_path(value)


@lru_cache(maxsize=8)
def _is_dotted_path(value: str) -> bool:
    return all(word.isidentifier() for word in value.split("."))


@dataclass(frozen=True)
class Rule:
    """A rule: the `words` that follow "must be" in messages, and a function that says whether it accepts a value.

    If `is_path` is true for a string, it is the dotted path of a subclass of `base`, or of a function with this
    `signature`. If both are empty, no string is a path.
    """

    words: str
    accepts: Callable[[Any], bool]
    base: str = ""
    signature: str = ""
    is_path: Callable[[Any], bool] = is_string


def is_bool(value: object) -> bool:
    """Whether the value is True or False, and not 1 or 0."""
    return isinstance(value, bool)


def is_word(value: object) -> bool:
    """Whether the value is a string of 1 to 255 characters that every database can hold."""
    try:
        return isinstance(value, str) and bool(values.identifier("", value))
    except InvalidField:
        return False


def is_number(value: object, lowest: float, largest: float) -> bool:
    """Whether the value is a number within these limits."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and lowest <= value <= largest


def is_time(value: object) -> bool:
    """Whether the value is a number of seconds, above 0 and up to a year."""
    return is_number(value, 0, YEAR) and value != 0


def is_list(value: object, accepts: Callable[[object], bool]) -> bool:
    """Whether the value is a non-empty list or tuple whose members are all accepted."""
    return isinstance(value, (list, tuple)) and len(value) > 0 and all(accepts(member) for member in value)


def or_none(rule: Rule) -> Rule:
    """The rule, with None accepted too."""
    return replace(rule, words=f"{rule.words}, or None", accepts=lambda value: value is None or rule.accepts(value))


def class_path(base: str) -> Rule:
    """The dotted path of a subclass of `base`. `base` is a path too, because only the delivery may import backends."""
    return Rule("the dotted path of a class, as a string", is_string, base=base)


def function_path(signature: str) -> Rule:
    """The dotted path of a function; `signature` says what it takes and returns."""
    return Rule("the dotted path of a callable, as a string", is_string, signature=signature)


def choice_or_path(signature: str, choices: tuple[bool | str, ...]) -> Rule:
    """One of the choices, or the dotted path of a function."""
    return Rule(
        f"{', '.join(map(repr, choices))} or the dotted path of a callable, as a string",
        lambda value: is_bool(value) or is_string(value),
        signature=signature,
        is_path=lambda value: is_string(value) and value not in choices,
    )


def whole_number(lowest: int, largest: int, unit: str = "") -> Rule:
    """A whole number within these limits."""
    return Rule(
        f"a whole number {unit and f'of {unit} '}from {lowest} to {largest}",
        lambda value: isinstance(value, int) and is_number(value, lowest, largest),
    )


def one_of(*choices: object) -> Rule:
    """One of the choices, of the same type: 1 is not True."""
    return Rule(
        f"one of {', '.join(map(repr, choices))}",
        lambda value: any(type(value) is type(choice) and value == choice for choice in choices),
    )


def addresses_or(choice: str) -> Rule:
    """A list of e-mail addresses, which may be empty, or the one choice."""
    return Rule(
        f"a list of e-mail addresses, or {choice!r}",
        lambda value: value == choice or (isinstance(value, (list, tuple)) and all(map(_is_address, value))),
    )


def _is_address(value: object) -> bool:
    return is_string(value) and addresses.is_address(str(value))


def several_of(choices: tuple[str, ...]) -> Rule:
    """A list of one or more of the choices, each once."""
    return Rule(
        f"a list of one or more of {', '.join(map(repr, choices))}, each once",
        lambda value: is_list(value, lambda member: member in choices) and len(set(value)) == len(value),
    )


def _is_dict_by_type(value: object) -> bool:
    return isinstance(value, Mapping) and all(values.is_type(key) and is_time(age) for key, age in value.items())


def _is_dict_of_strings(value: object) -> bool:
    return isinstance(value, Mapping) and len(value) > 0 and all(map(is_string, [*value, *value.values()]))


BOOL = Rule("True or False", is_bool)
STRING = Rule("a string", is_string)
WORD = Rule("a string of 1 to 255 characters", is_word)
HEADER = Rule(
    "the name of a request header, of letters, digits and -",
    lambda value: is_string(value) and HEADER_PATTERN.fullmatch(value) is not None,
)
TIME = Rule("a number of seconds above 0", is_time)
DAYS = Rule("a number of days above 0", lambda value: is_number(value, 0, CENTURY) and value != 0)
PAIR_OF_TIMES = Rule(
    "a pair of numbers above 0, in seconds: to connect, to read",
    lambda value: is_list(value, is_time) and len(value) == 2,
)
DELAYS = Rule(
    "a list of one or more numbers, 0 or above and in seconds",
    lambda value: is_list(value, lambda member: is_number(member, 0, YEAR)),
)
TIMES_BY_TYPE = Rule("a dict from event types to numbers of seconds above 0", _is_dict_by_type)
ACCOUNTS = Rule(
    "a string, or a dict from hosts to account ids",
    # None is accepted here: another check reports a missing account.
    lambda value: value is None or is_string(value) or _is_dict_of_strings(value),
    signature="(event, request or None) that returns the account id",
    is_path=is_dotted_path,
)
