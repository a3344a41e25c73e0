"""Turn Oscar's signals into `Confirmation`s. This is the pattern for your own adapter.

It has three steps: map the other package's order to a `Confirmation`; connect receivers; leave the rest to `report`.
Oscar 4.2 sends two signals for an order: always `order_placed`, without a request; and from its checkout view only,
`post_checkout`, with the request. The adapter receives both, and the orderId makes them one event.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from oscar.apps.checkout.signals import post_checkout
from oscar.apps.order.signals import order_placed

from django_vt.accounts import account_at, are_by_host
from django_vt.adapters import buyers_account, buyers_identity, report
from django_vt.conf import settings
from django_vt.discretion import discreetly
from django_vt.events import Confirmation
from django_vt.exceptions import InvalidField

ITEM_IDS = ("partner_sku", "upc", "product_id")


def connect() -> None:
    """Connect the receivers; a second time changes nothing."""
    order_placed.connect(record_placed, dispatch_uid="django_vt.contrib.oscar.order_placed")
    post_checkout.connect(record_checkout, dispatch_uid="django_vt.contrib.oscar.post_checkout")


@discreetly
def record_placed(sender: object, *, order: Any, user: Any = None, **_others: object) -> None:
    """The receiver of Oscar's `order_placed`."""

    def is_buyer(visitor: Any) -> bool:
        return bool(visitor.pk == getattr(user, "pk", None))

    report(
        lambda: arguments(order),
        reference=getattr(order, "number", ""),
        identity=lambda: buyers_identity(is_buyer),
        using=order._state.db,
        account_id=lambda: account_of(order) or buyers_account(is_buyer),
    )


@discreetly
def record_checkout(sender: object, *, order: Any, request: HttpRequest | None = None, **_others: object) -> None:
    """The receiver of Oscar's `post_checkout`: attributes an order whose buyer was unknown until now."""
    report(
        lambda: arguments(order),
        reference=getattr(order, "number", ""),
        request=request,
        using=order._state.db,
        account_id=lambda: account_of(order),
        repeats=True,
    )


def arguments(order: Any) -> dict[str, Any]:
    """An Oscar order as a `Confirmation`'s arguments. The setting OSCAR_ITEM_ID chooses the id of the items."""
    items = [(item_id(line), line.quantity) for line in order.lines.all()]
    return {"order_id": order.number, "total": order.total_incl_tax, "items": items, "email": order.email or ""}


def confirmation(order: Any) -> Confirmation:
    """An Oscar order as the vendor's confirmation. Raises `InvalidField` if a value in it cannot be sent."""
    return Confirmation(**arguments(order))


def account_of(order: Any) -> str | None:
    """The account of the order's site in Oscar, if ACCOUNT_ID maps hosts to accounts."""
    site = getattr(order, "site", None) if are_by_host() else None
    return account_at(site.domain) if site else None


def item_id(line: Any) -> str:
    """The line's `partner_sku`, `upc` or `product_id`, as OSCAR_ITEM_ID says; if it is empty, the first that is not."""
    if settings.OSCAR_ITEM_ID not in ITEM_IDS:
        raise InvalidField("OSCAR_ITEM_ID", f"must be one of {', '.join(ITEM_IDS)}")
    wanted = (settings.OSCAR_ITEM_ID, *ITEM_IDS)
    return str(next((value for name in wanted if (value := getattr(line, name))), ""))
