"""The kinds of value that an event holds, each checked and brought into its plain form.

Every function takes the name of the field first, and raises `InvalidField` (a `ValueError`) with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.utils.functional import Promise

from django_vt.exceptions import InvalidField
from django_vt.protocol import addresses

# A name as code has them; one that began with a digit could be a telephone number.
SAFE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}", re.ASCII)
TYPE_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
CENT = Decimal("0.01")
# Our own, not the thread's: a project may have set that one to other digits, or to raise when it rounds.
ARITHMETIC = Context(prec=40)
# A JSON number is a double on the other side, and a double holds 15 decimal digits exactly.
MAX_DIGITS = 15
MAX_INTEGER = 2**63
MAX_IDENTIFIER_LENGTH = 255
LONGEST_INTEGER = 10**MAX_IDENTIFIER_LENGTH
MAX_EMAIL_LENGTH = 320
MAX_DEPTH = 32


def is_type(value: object) -> bool:
    """Whether it can be an event's type, which also stands in the path of the vendor's address."""
    return isinstance(value, str) and TYPE_PATTERN.fullmatch(value) is not None


def showable(reference: object) -> str:
    """A reference as a log line or `str()` may show it, whatever the shop has passed for one.

    Empty where it may be an address; without what could start a new line.
    """
    if isinstance(reference, bool) or not isinstance(reference, (str, int, UUID)):
        return ""
    if isinstance(reference, int) and abs(reference) >= LONGEST_INTEGER:
        return ""
    text = "".join(character for character in str(reference) if character.isprintable())
    return "" if addresses.may_hold_address(text) else text[:MAX_IDENTIFIER_LENGTH]


def check_email(name: str, value: str) -> None:
    """Refuses an address that the database or JSON could not hold; whether anybody reads it is the vendor's to know."""
    check_text(name, value)
    # In the form in which it is stored, a letter can become two, and a foreign one some more.
    if len(value) > MAX_EMAIL_LENGTH or not (value.isascii() or len(addresses.canonical(value)) <= MAX_EMAIL_LENGTH):
        raise InvalidField(name, f"longer than {MAX_EMAIL_LENGTH} characters")


def check_text(name: str, value: str) -> None:
    """Refuses a NUL character and a lone surrogate, which databases refuse."""
    if "\0" in value:
        raise InvalidField(name, "holds a NUL character")
    # Not by trying to encode it: that error would hold the value.
    if not value.isascii() and LONE_SURROGATE.search(value):
        raise InvalidField(name, "holds a lone surrogate: it was decoded wrongly")


def identifier(name: str, value: object) -> str:
    """An id as the string it is; ints and UUIDs, which primary keys are, become strings."""
    text = value if type(value) is str else _identifier_text(name, value)
    if not text.strip():
        raise InvalidField(name, "must not be empty")
    if len(text) > MAX_IDENTIFIER_LENGTH:
        raise InvalidField(name, f"longer than {MAX_IDENTIFIER_LENGTH} characters")
    check_text(name, text)
    return text


def _identifier_text(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, UUID)):
        raise InvalidField(name, "must be a string")
    if isinstance(value, int) and abs(value) >= LONGEST_INTEGER:
        # Python itself refuses to print one of some thousand digits.
        raise InvalidField(name, f"longer than {MAX_IDENTIFIER_LENGTH} characters")
    return _text(value) if isinstance(value, (str, int)) else str(value)


def email(name: str, value: object) -> str:
    """An address as it was spelt, without the name and the blanks around it; None is none, and so is a list."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidField(name, "must be a string")
    check_email(name, value)
    return addresses.bare(value)


def quantity(name: str, value: object) -> int | float | Decimal:
    """How many: a number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise InvalidField(name, "must be a number")
    _check_number(name, value)
    # As it will be sent: 1E-400 is above 0 as a Decimal, and 0 as a double.
    if number(value) <= 0:
        raise InvalidField(name, "must be above 0")
    return value


def money(name: str, value: object) -> Decimal:
    """An amount, rounded half-up to cents."""
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise InvalidField(name, "must be a Decimal, an int or a str (a float has already lost cents)")
    try:
        amount = Decimal(value, ARITHMETIC)
    except InvalidOperation:
        raise InvalidField(name, "is not a number") from None
    if not amount.is_finite():
        raise InvalidField(name, "must be finite")
    _check_size(name, amount)
    cents = amount.quantize(CENT, ROUND_HALF_UP, ARITHMETIC)
    _check_size(name, cents)
    _check_number(name, cents)
    return cents


def _check_size(name: str, amount: Decimal) -> None:
    if amount.adjusted() >= MAX_DIGITS:
        raise InvalidField(name, f"has more than {MAX_DIGITS} digits")


def data(name: str, value: object, reserved: set[str]) -> dict[str, Any]:
    """A copy of the data in plain JSON types, so that a later change of the caller's changes nothing here."""
    if not isinstance(value, Mapping):
        raise InvalidField(name, "must be a dict")
    for key in value:
        if key in reserved:
            raise InvalidField(inside(name, key), "is set by this app and cannot be given here")
    copy: dict[str, Any] = _plain(name, value, MAX_DEPTH)
    return copy


def _plain(name: str, value: object, depth: int) -> Any:
    if depth == 0:
        raise InvalidField(name, "is nested too deeply")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (int, float, Decimal)):
        _check_number(name, value)
        return number(value)
    if isinstance(value, Mapping):
        return {_key(name, key): _plain(inside(name, key), inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(f"{name}[{index}]", inner, depth - 1) for index, inner in enumerate(value)]
    raise InvalidField(name, f"a {type(value).__name__} has no form in JSON: give a str or a number")


def _key(name: str, key: object) -> str:
    if not isinstance(key, str):
        raise InvalidField(name, "keys must be strings")
    return _text(key)


def _text(value: str | int) -> str:
    # What it holds, as the plain type: str() would say "Size.XL" of a member of an Enum of strings, and of
    # an IntEnum in Python 3.10.
    return int.__repr__(value) if isinstance(value, int) else str.__str__(value)


def inside(name: str, key: object) -> str:
    """The name of what is under a key. A key may be anything, a shopper's address too, and names are logged."""
    return f"{name}.{key}" if isinstance(key, str) and SAFE_KEY.fullmatch(key) else f"{name}[…]"


def _check_number(name: str, value: int | float | Decimal) -> None:
    if isinstance(value, int):
        if abs(value) >= MAX_INTEGER:
            raise InvalidField(name, "does not fit 64 bits: give it as a string")
    elif isinstance(value, Decimal) and value.is_nan():
        raise InvalidField(name, "is not a number")
    elif not math.isfinite(value):
        # A Decimal too: 1E+400 is infinite as a double.
        raise InvalidField(name, "must be finite")
    elif isinstance(value, Decimal) and _digits(value) > MAX_DIGITS:
        raise InvalidField(name, f"has more than {MAX_DIGITS} digits")


def _digits(value: Decimal) -> int:
    digits = value.as_tuple().digits
    if len(digits) <= MAX_DIGITS:
        return len(digits)
    return len("".join(map(str, digits)).strip("0"))


def number(value: int | float | Decimal) -> int | float:
    """As PHP's json_encode prints it: `100` and not `100.0`, `100.1` and not `100.10`."""
    if isinstance(value, int):
        return int(value)
    # With at most 15 digits a double gives back the very decimal it was made from.
    double = float(value)
    return int(double) if double.is_integer() and abs(double) < 10**MAX_DIGITS else double
