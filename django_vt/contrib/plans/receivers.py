"""The signals of django-plans into `Confirmation`s.

django-plans 2.8 sends two signals for an order, with the order as their sender and without a request. `order_started`
comes from the view in which a user orders: the buyer is remembered. `order_completed` comes when the order is paid,
from whatever says so: the payment provider's request, staff in the admin, or the task that renews an account.
"""

from __future__ import annotations

from typing import Any

from plans.signals import order_completed, order_started

from django_vt.adapters import buyers_identity, remember_buyer, report
from django_vt.events import Confirmation


def connect() -> None:
    """Connect the receivers; a second time changes nothing."""
    order_started.connect(record_started, dispatch_uid="django_vt.contrib.plans.order_started")
    order_completed.connect(record_completed, dispatch_uid="django_vt.contrib.plans.order_completed")


def record_started(sender: Any, **_others: object) -> None:
    """The receiver of `order_started`: remembers whose the order is. `sender` is the order."""
    remember_buyer(sender.pk, lambda visitor: visitor.pk == sender.user_id, using=sender._state.db)


def record_completed(sender: Any, **_others: object) -> None:
    """The receiver of `order_completed`: reports the order. `sender` is the order."""
    report(
        lambda: confirmation(sender),
        reference=sender.pk,
        identity=lambda: buyers_identity(lambda visitor: visitor.pk == sender.user_id),
        using=sender._state.db,
    )


def confirmation(order: Any) -> Confirmation | None:
    """An order of django-plans as the vendor's confirmation, with the total that includes the tax.

    The order's one item goes by the plan's `slug`. None for an order that is not valid: django-plans completes it, and
    gives the buyer nothing.
    """
    if order.status == order.STATUS.NOT_VALID:
        return None
    return Confirmation(
        order_id=str(order.pk), total=order.total(), items=[(order.plan.slug, 1)], email=order.user.email
    )
