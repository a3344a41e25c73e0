"""The kinds of value that an event holds, each checked and brought into its plain form.

Every function takes the name of the field first, and raises `InvalidField` (a `ValueError`) with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any
from uuid import UUID

from django.utils.functional import Promise

from django_vt.exceptions import InvalidField

SAFE_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
CENT = Decimal("0.01")
# A JSON number is a double on the other side, and a double holds 15 decimal digits exactly.
MAX_DIGITS = 15
MAX_INTEGER = 2**63
MAX_IDENTIFIER_LENGTH = 255
MAX_EMAIL_LENGTH = 320


def check_email(name: str, value: str) -> None:
    """Refuses an address that the database or JSON could not hold; whether anybody reads it is the vendor's to know."""
    # Lower-cased, as it is stored, a letter can become two.
    if max(len(value), len(value.lower())) > MAX_EMAIL_LENGTH:
        raise InvalidField(name, f"longer than {MAX_EMAIL_LENGTH} characters")
    check_text(name, value)


def check_text(name: str, value: str) -> None:
    """Refuses a NUL character and a lone surrogate, which databases refuse."""
    if "\0" in value:
        raise InvalidField(name, "holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidField(name, "holds a lone surrogate: it was decoded wrongly") from None


def identifier(name: str, value: object) -> str:
    """An id as the string it is; ints and UUIDs, which primary keys are, become strings."""
    if isinstance(value, bool) or not isinstance(value, (str, int, UUID)):
        raise InvalidField(name, "must be a string")
    # str() also turns a lazy or SafeString subclass into what it says.
    text = str(value)
    if not text.strip():
        raise InvalidField(name, "must not be empty")
    if len(text) > MAX_IDENTIFIER_LENGTH:
        raise InvalidField(name, f"longer than {MAX_IDENTIFIER_LENGTH} characters")
    check_text(name, text)
    return text


def email(name: str, value: object) -> str:
    """An address without the blanks around it; None is none."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidField(name, "must be a string")
    check_email(name, value)
    return value.strip()


def quantity(name: str, value: object) -> int | float | Decimal:
    """How many: a number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise InvalidField(name, "must be a number")
    _check_number(name, value)
    if value <= 0:
        raise InvalidField(name, "must be above 0")
    return value


def money(name: str, value: object) -> Decimal:
    """An amount, rounded half-up to cents."""
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise InvalidField(name, "must be a Decimal, an int or a str (a float has already lost cents)")
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise InvalidField(name, "is not a number") from None
    if not amount.is_finite():
        raise InvalidField(name, "must be finite")
    if amount.adjusted() >= MAX_DIGITS:
        raise InvalidField(name, f"has more than {MAX_DIGITS} digits")
    with localcontext() as context:
        context.prec = MAX_DIGITS + 5
        cents = amount.quantize(CENT, ROUND_HALF_UP)
    _check_number(name, cents)
    return cents


def data(name: str, value: object, reserved: set[str]) -> dict[str, Any]:
    """A copy of the data in plain JSON types, so that a later change of the caller's changes nothing here."""
    if not isinstance(value, Mapping):
        raise InvalidField(name, "must be a dict")
    for key in value:
        if key in reserved:
            raise InvalidField(_inside(name, key), "is set by this app and cannot be given here")
    try:
        copy: dict[str, Any] = _plain(name, value)
    except RecursionError:
        raise InvalidField(name, "is nested too deeply") from None
    return copy


def _plain(name: str, value: object) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (str, Promise)):
        return str(value)
    if isinstance(value, (int, float, Decimal)):
        _check_number(name, value)
        return number(value)
    if isinstance(value, Mapping):
        return {_key(name, key): _plain(_inside(name, key), inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(f"{name}[{index}]", inner) for index, inner in enumerate(value)]
    raise InvalidField(name, f"a {type(value).__name__} has no form in JSON: give a str or a number")


def _key(name: str, key: object) -> str:
    if not isinstance(key, str):
        raise InvalidField(name, "keys must be strings")
    return str(key)


def _inside(name: str, key: object) -> str:
    # A key may be anything, a shopper's address too, and field names are shown and logged.
    return f"{name}.{key}" if isinstance(key, str) and SAFE_KEY.fullmatch(key) else f"{name}[…]"


def _check_number(name: str, value: int | float | Decimal) -> None:
    if isinstance(value, int):
        if abs(value) >= MAX_INTEGER:
            raise InvalidField(name, "does not fit 64 bits: give it as a string")
    elif not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        raise InvalidField(name, "must be finite")
    elif isinstance(value, Decimal) and len(value.normalize().as_tuple().digits) > MAX_DIGITS:
        raise InvalidField(name, f"has more than {MAX_DIGITS} digits")


def number(value: int | float | Decimal) -> int | float:
    """As PHP's json_encode prints it: `100` and not `100.0`, `100.1` and not `100.10`."""
    if isinstance(value, int):
        return int(value)
    # With at most 15 digits a double gives back the very decimal it was made from.
    double = float(value)
    return int(double) if double.is_integer() and abs(double) < 10**MAX_DIGITS else double
