"""A Salesman shop's own orders, with which `find_unreported_orders` compares the send log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from salesman.core.utils import get_salesman_model

from django_vt.contrib.salesman.receivers import NOT_PLACED, confirmation
from django_vt.events import Confirmation
from django_vt.operations.unreported import UnusableOrder, usable

AT_ONCE = 500  # orders a query


def placed_orders(since: datetime, until: datetime) -> Iterator[Confirmation | UnusableOrder]:
    """The orders that were created from `since` on and before `until` and are placed now, the oldest first."""
    made = get_salesman_model("Order").objects.filter(date_created__gte=since, date_created__lt=until)
    placed = made.exclude(status__in=NOT_PLACED).order_by("date_created", "pk").prefetch_related("items")
    for order in placed.iterator(AT_ONCE):
        yield usable(partial(confirmation, order), order.ref)
