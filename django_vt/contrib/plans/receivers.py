"""Turn the signals of django-plans into `Confirmation`s.

django-plans 2.8 sends two signals for an order, with the order as sender and without a request. `order_started` comes
from the view in which a user orders, so the buyer is remembered. `order_completed` comes when the order is paid: from
the payment provider's request, from staff in the admin, or from the task that renews an account.
"""

from __future__ import annotations

from typing import Any

from plans.signals import order_completed, order_started

from django_vt.adapters import buyers_account, buyers_identity, remember_buyer, report
from django_vt.discretion import discreetly
from django_vt.events import Confirmation


def connect() -> None:
    """Connect the receivers; a second time changes nothing."""
    order_started.connect(record_started, dispatch_uid="django_vt.contrib.plans.order_started")
    order_completed.connect(record_completed, dispatch_uid="django_vt.contrib.plans.order_completed")


@discreetly
def record_started(sender: Any, **_others: object) -> None:
    """The receiver of `order_started`: remembers the buyer. `sender` is the order."""
    remember_buyer(sender.pk, lambda visitor: visitor.pk == sender.user_id, using=sender._state.db)


@discreetly
def record_completed(sender: Any, **_others: object) -> None:
    """The receiver of `order_completed`: reports the order. `sender` is the order.

    An order that is not valid is not reported: django-plans completes it, but gives the buyer nothing.
    """
    if sender.status == sender.STATUS.NOT_VALID:
        return

    def is_buyer(visitor: Any) -> bool:
        return bool(visitor.pk == sender.user_id)

    report(
        lambda: arguments(sender),
        reference=sender.pk,
        identity=lambda: buyers_identity(is_buyer),
        using=sender._state.db,
        account_id=lambda: buyers_account(is_buyer),
    )


def arguments(order: Any) -> dict[str, Any]:
    """An order of django-plans as a `Confirmation`'s arguments, with the total that includes the tax.

    The id of its only item is the plan's `slug`.
    """
    item = (order.plan.slug, 1)
    return {"order_id": str(order.pk), "total": order.total(), "items": [item], "email": order.user.email}


def confirmation(order: Any) -> Confirmation:
    """An order of django-plans as the vendor's confirmation. Raises `InvalidField` if it cannot be sent."""
    return Confirmation(**arguments(order))
