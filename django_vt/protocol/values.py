"""Checking the values of an event and converting them to plain types.

Functions that take the name of a field raise `InvalidField` (a `ValueError`) with this name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from enum import Enum
from typing import Any
from uuid import UUID

from django.utils.functional import LazyObject, Promise

from django_vt.exceptions import InvalidField
from django_vt.protocol import addresses

# An identifier as in code. It may not begin with a digit, because a telephone number does.
SAFE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}", re.ASCII)
TYPE_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
CENT = Decimal("0.01")
# Not the thread's context: a project may have changed its precision, or made it raise on rounding.
ARITHMETIC = Context(prec=40)
# The vendor reads a JSON number as a double, which holds 15 decimal digits exactly.
MAX_DIGITS = 15
MAX_INTEGER = 2**63
MAX_IDENTIFIER_LENGTH = 255
LONGEST_INTEGER = 10**MAX_IDENTIFIER_LENGTH
MAX_EMAIL_LENGTH = 320
MAX_DEPTH = 32
PLAIN_TYPES = frozenset({str, int, float, Decimal, bool, type(None), UUID, dict, list, tuple})
# Each plain type with the function that converts an instance of a subclass to it.
PLAIN_BASES: Mapping[type, Callable[[Any], Any]] = {
    str: str.__str__, int: int.__int__, float: float.__float__, Decimal: Decimal,
}  # fmt: skip


def plain(value: Any) -> Any:
    """The plain value of a lazy object, a lazy text, an enum member, or an instance of a subclass of a plain type.

    `str()` would not do: for a member of a string Enum it gives "Size.XL". An error that the shop's code raises inside
    a lazy object is not caught.
    """
    while type(value) not in PLAIN_TYPES:
        if isinstance(value, LazyObject):
            value = _unwrapped(value)
        elif isinstance(value, Promise):
            value = str(value)
        else:
            return _of_plain_type(value)
    return value


def _unwrapped(value: Any) -> Any:
    value.__class__  # noqa: B018 - evaluates the lazy object, as any use does
    return value._wrapped  # noqa: SLF001 - Django has no public attribute for it


def _of_plain_type(value: object) -> object:
    for plain_type, taken in PLAIN_BASES.items():
        if isinstance(value, plain_type):
            return taken(value)
    return plain(value.value) if isinstance(value, Enum) else value


def is_type(value: object) -> bool:
    """Whether the value can be an event's type, which also stands in the path of the URL."""
    value = plain(value)
    return isinstance(value, str) and TYPE_PATTERN.fullmatch(value) is not None


def showable(reference: object) -> str:
    """A reference as a log line or `str()` may show it, whatever object the shop passed.

    Empty if it may hold an address; without characters that could start a new line.
    """
    reference = plain(reference)
    if isinstance(reference, bool) or not isinstance(reference, (str, int, UUID)):
        return ""
    if isinstance(reference, int) and abs(reference) >= LONGEST_INTEGER:
        return ""
    text = "".join(character for character in str(reference) if character.isprintable())
    return "" if addresses.may_hold_address(text) else text[:MAX_IDENTIFIER_LENGTH]


def check_email(name: str, value: str) -> None:
    """Refuse an address that the database or JSON cannot hold. Whether the address exists is not checked."""
    check_text(name, value)
    # The canonical form can be longer: a letter can become two, and more in punycode.
    if len(value) > MAX_EMAIL_LENGTH or not (value.isascii() or len(addresses.canonical(value)) <= MAX_EMAIL_LENGTH):
        raise InvalidField(name, f"longer than {MAX_EMAIL_LENGTH} characters")


def check_text(name: str, value: str) -> None:
    """Refuse NUL characters and lone surrogates, which databases refuse."""
    if "\0" in value:
        raise InvalidField(name, "holds a NUL character")
    # Do not try to encode it: the error would hold the value.
    if not value.isascii() and LONE_SURROGATE.search(value):
        raise InvalidField(name, "holds a lone surrogate: it was decoded wrongly")


def identifier(name: str, value: object) -> str:
    """An id as a string; ints and UUIDs, such as primary keys, are converted."""
    value = plain(value)
    text = value if isinstance(value, str) else _identifier_text(name, value)
    if not text.strip():
        raise InvalidField(name, "must not be empty")
    if len(text) > MAX_IDENTIFIER_LENGTH:
        raise InvalidField(name, f"longer than {MAX_IDENTIFIER_LENGTH} characters")
    check_text(name, text)
    return text


def _identifier_text(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, UUID)):
        raise InvalidField(name, "must be a string")
    if isinstance(value, int) and abs(value) >= LONGEST_INTEGER:
        # Python refuses to convert an int with thousands of digits to a string.
        raise InvalidField(name, f"longer than {MAX_IDENTIFIER_LENGTH} characters")
    return str(value)


def email(name: str, value: object) -> str:
    """An address as it was spelt, without name and blanks around it; empty for None and for a list of addresses."""
    value = plain(value)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidField(name, "must be a string")
    check_email(name, value)
    return addresses.bare(value)


def quantity(name: str, value: object) -> int | float | Decimal:
    """A quantity: a number above 0."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise InvalidField(name, "must be a number")
    _check_number(name, value)
    # Compare the value as it will be sent: 1E-400 is above 0 as a Decimal, but 0 as a double.
    if number(value) <= 0:
        raise InvalidField(name, "must be above 0")
    return value


def money(name: str, value: object) -> Decimal:
    """An amount, rounded half-up to cents. A float, as in the vendor's example, counts as its shortest `repr`."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str, float)):
        raise InvalidField(name, "must be a Decimal, an int, a str or a float")
    try:
        amount = Decimal(repr(value) if isinstance(value, float) else value, ARITHMETIC)
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
    """A copy of the data in plain JSON types, so that later changes by the caller have no effect."""
    value = plain(value)
    if not isinstance(value, Mapping):
        raise InvalidField(name, "must be a dict")
    for key in map(plain, value):
        if isinstance(key, str) and key in reserved:
            raise InvalidField(inside(name, key), "is set by this app and cannot be given here")
    copy: dict[str, Any] = _plain(name, value, MAX_DEPTH)
    return copy


def _plain(name: str, value: object, depth: int) -> Any:
    if depth == 0:
        raise InvalidField(name, "is nested too deeply")
    value = plain(value)
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float, Decimal)):
        _check_number(name, value)
        return number(value)
    if isinstance(value, Mapping):
        return {_key(name, key): _plain(inside(name, key), inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(f"{name}[{index}]", inner, depth - 1) for index, inner in enumerate(value)]
    raise InvalidField(name, f"a {type(value).__name__} has no form in JSON: give a str or a number")


def _key(name: str, key: object) -> str:
    text = plain(key)
    if not isinstance(text, str):
        raise InvalidField(name, "keys must be strings")
    return text


def inside(name: str, key: object) -> str:
    """The name of the field under a key. Names are logged, so a key that may be a shopper's address is left out."""
    key = plain(key)
    return f"{name}.{key}" if isinstance(key, str) and SAFE_KEY.fullmatch(key) else f"{name}[…]"


def _check_number(name: str, value: int | float | Decimal) -> None:
    if isinstance(value, int):
        if abs(value) >= MAX_INTEGER:
            raise InvalidField(name, "does not fit 64 bits: give it as a string")
    elif isinstance(value, Decimal) and value.is_nan():
        raise InvalidField(name, "is not a number")
    elif not math.isfinite(value):
        # This refuses Decimals such as 1E+400 too, which are infinite as a double.
        raise InvalidField(name, "must be finite")
    elif isinstance(value, Decimal) and _digits(value) > MAX_DIGITS:
        raise InvalidField(name, f"has more than {MAX_DIGITS} digits")


def _digits(value: Decimal) -> int:
    digits = value.as_tuple().digits
    if len(digits) <= MAX_DIGITS:
        return len(digits)
    return len("".join(map(str, digits)).strip("0"))


def number(value: int | float | Decimal) -> int | float:
    """The number that JSON prints as PHP's json_encode does: `100`, not `100.0`; `100.1`, not `100.10`."""
    if isinstance(value, int):
        return int(value)
    # A decimal with at most 15 digits survives the conversion to a double and back.
    double = float(value)
    return int(double) if double.is_integer() and abs(double) < 10**MAX_DIGITS else double
