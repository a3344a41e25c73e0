"""The order that is reported in every way: three items, a shopper with the vendor's cookie, an e-mail address."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from django_vt.events import Item
from django_vt.signals import order_placed

TOTAL = Decimal("234.12")
EMAIL = "buyer@example.com"
numbers = itertools.count(100_000)


def items() -> list[Item]:
    """As a shop makes them from an order's lines, one by one."""
    return [Item("123123-M", 2), Item("445566-L", 1), Item("998877", 3)]


def request() -> HttpRequest:
    """A request with the cookie of the vendor's pixel."""
    made = HttpRequest()
    made.COOKIES["_vt_user"] = "0123456789012345_9876543210987654"
    return made


REQUEST = request()


def place(using: str) -> str:
    """The shop's whole integration, inside the order's transaction; the request is there, as in any view.

    Returns the order's number.
    """
    number = str(next(numbers))
    order_placed.send(
        sender=None,
        request=REQUEST,
        order_id=number,
        total=TOTAL,
        items=items(),
        email=EMAIL,
        using=using,
    )
    return number


def properties(number: int) -> dict[str, Any]:
    """The same for trackers that take a dictionary."""
    lines = [{"id": item.id, "quantity": item.quantity} for item in items()]
    return {"orderId": str(number), "total": str(TOTAL), "email": EMAIL, "items": lines}
