"""An Oscar shop's own orders: what `find_unreported_orders` compares the send log with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from oscar.core.loading import get_model

from django_vt.contrib.oscar.receivers import confirmation
from django_vt.events import Confirmation
from django_vt.operations.unreported import UnusableOrder, usable

AT_ONCE = 500  # orders a query


def placed_orders(since: datetime, until: datetime) -> Iterator[Confirmation | UnusableOrder]:
    """The orders that were placed from `since` on and before `until`, in the order in which they were placed."""
    orders = get_model("order", "Order").objects.filter(date_placed__gte=since, date_placed__lt=until)
    for order in orders.order_by("date_placed", "pk").prefetch_related("lines").iterator(AT_ONCE):
        yield usable(partial(confirmation, order), order.number)
