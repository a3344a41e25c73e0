"""Turn Salesman's orders into `Confirmation`s.

Salesman 1.3 has one signal, `status_changed`, which carries no request. At the checkout it is sent before the order has
items: `populate_from_basket` saves the order first and its items afterwards. So the adapter listens in three places,
and the orderId makes them one event:

- It wraps `populate_from_basket` of the order model, because Salesman sends no signal once the items are saved. Every
  order that Salesman makes from a basket passes this method.
- `status_changed` reports an order that had its items before, and is paid now.
- Django's `post_save` shows an order that is new and not placed yet. The buyer's request is being served, so the buyer
  is remembered: the payment provider's request carries none of the buyer's cookies.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from salesman.core.utils import get_salesman_model
from salesman.orders.signals import status_changed

from django_vt.adapters import buyers_account, buyers_identity, remember_buyer, report
from django_vt.discretion import discreetly
from django_vt.events import Confirmation

# Salesman's own names. NEW has no items yet, CREATED and FAILED await a payment that may never come.
NOT_PLACED = frozenset({"NEW", "CREATED", "FAILED", "CANCELLED", "REFUNDED"})


def connect() -> None:
    """Connect the receivers; a second time changes nothing."""
    order_model = get_salesman_model("Order")
    status_changed.connect(record_status, dispatch_uid="django_vt.contrib.salesman.status_changed")
    post_save.connect(record_new, sender=order_model, dispatch_uid="django_vt.contrib.salesman.post_save")
    report_populated(order_model)


def report_populated(order_model: Any) -> None:
    """Have `populate_from_basket` of the order model report the order, in the transaction in which it saves the items.

    If the shop's own model overrides the method, the override is wrapped.
    """
    populate = order_model.populate_from_basket
    if getattr(populate, "reports_to_vibetrace", False):
        return

    @wraps(populate)
    @transaction.atomic
    def populate_from_basket(order: Any, *args: Any, **kwargs: Any) -> Any:
        returned = populate(order, *args, **kwargs)
        _record(order)
        return returned

    populate_from_basket.reports_to_vibetrace = True  # type: ignore[attr-defined]
    order_model.populate_from_basket = populate_from_basket


@discreetly
def record_status(sender: object, *, order: Any, old_status: str = "", **_others: object) -> None:
    """The receiver of Salesman's `status_changed`: an order is reported when it leaves the statuses of NOT_PLACED."""
    if old_status in NOT_PLACED:
        _record(order)


@discreetly
def record_new(sender: object, *, instance: Any, created: bool, using: str, **_others: object) -> None:
    """The receiver of Django's `post_save` of orders: remembers the buyer of a new order that is not placed yet."""
    if created and instance.status in NOT_PLACED:
        remember_buyer(instance.ref, lambda visitor: _may_be_buyer(instance, visitor), using=using)


def arguments(order: Any) -> dict[str, Any]:
    """A Salesman order as a `Confirmation`'s arguments, with the total as charged.

    The id of an item is the product's `code` at the time of the purchase.
    """
    # Not `order.get_items()`, which caches its result: the shop would not see items that are saved later.
    items = [(item_id(item), item.quantity) for item in order.items.all()]
    return {"order_id": order.ref, "total": order.total, "items": items, "email": order.email}


def confirmation(order: Any) -> Confirmation:
    """A Salesman order as the vendor's confirmation. Raises `InvalidField` if a value in it cannot be sent."""
    return Confirmation(**arguments(order))


def item_id(item: Any) -> str:
    """The product's `code`; if the order holds none, the product's id."""
    return str(item.product_data.get("code") or item.product_id)


@discreetly
def _record(order: Any) -> None:
    if order.status in NOT_PLACED:
        return

    def is_buyer(visitor: Any) -> bool:
        return bool(visitor.pk == order.user_id)

    report(
        lambda: _arguments_with_items(order),
        reference=order.ref,
        identity=lambda: buyers_identity(is_buyer),
        using=order._state.db,
        account_id=lambda: buyers_account(is_buyer),
    )


def _arguments_with_items(order: Any) -> dict[str, Any] | None:
    """The arguments, or None while the order's items are not saved: it is reported once they are."""
    told = arguments(order)
    return told if told["items"] else None


def _may_be_buyer(order: Any, visitor: Any) -> bool:
    """Whether the visitor may be the buyer. Salesman sets an order's user only when it saves the items."""
    if order.status == "NEW" and order.user_id is None:
        return not getattr(visitor, "is_staff", False)
    return bool(visitor.pk == order.user_id)
