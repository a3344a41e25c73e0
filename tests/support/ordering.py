"""What many tests place: an order, a visitor's request."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.test import RequestFactory

from django_vt.events import Confirmation, Item
from django_vt.identity import Identity
from django_vt.models import SendLogEntry
from django_vt.signals import order_placed

PIXEL_COOKIE = "8139618027113397_253412802711339765_false_false"
PIXEL = Identity(user_id="8139618027113397", session_id="253412802711339765")
BUYER = "buyer@example.com"


def order(**changes: Any) -> dict[str, Any]:
    """The arguments of `order_placed` for an order like any other."""
    return {"order_id": "100023", "total": Decimal("234.12"), "items": [Item("123123-M", 2)], **changes}


def place(**changes: Any) -> SendLogEntry:
    """Signal an order, and give the entry that is in the send log now."""
    order_placed.send(sender=None, **order(**changes))
    return SendLogEntry.objects.get()


def confirmation(**changes: Any) -> Confirmation:
    """The same order as an event."""
    return Confirmation(**order(**changes))


def request_with(**cookies: str) -> HttpRequest:
    """A request that no middleware has seen."""
    request = RequestFactory().get("/")
    request.COOKIES.update(cookies)
    return request


def visitor() -> HttpRequest:
    """A request with the pixel's cookie."""
    return request_with(_vt_user=PIXEL_COOKIE)
