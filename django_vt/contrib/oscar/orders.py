"""An Oscar shop's own orders, with which `find_unreported_orders` compares the send log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from oscar.core.loading import get_model

from django_vt.accounts import are_by_host
from django_vt.contrib.oscar.receivers import account_of, confirmation
from django_vt.events import Confirmation
from django_vt.operations.unreported import UnusableOrder, usable

AT_ONCE = 500  # orders a query


def placed_orders(since: datetime, until: datetime) -> Iterator[tuple[str | None, Confirmation | UnusableOrder]]:
    """The orders that were placed from `since` on and before `until`, the oldest first.

    Each comes with the account of its site, if ACCOUNT_ID names one.
    """
    orders = get_model("order", "Order").objects.filter(date_placed__gte=since, date_placed__lt=until)
    further = ("lines", "site") if are_by_host() else ("lines",)
    for order in orders.order_by("date_placed", "pk").prefetch_related(*further).iterator(AT_ONCE):
        yield account_of(order), usable(partial(confirmation, order), order.number)
