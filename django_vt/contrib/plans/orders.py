"""The orders of django-plans, with which `find_unreported_orders` compares the send log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from plans.base.models import AbstractOrder

from django_vt.contrib.plans.receivers import confirmation
from django_vt.events import Confirmation
from django_vt.operations.unreported import UnusableOrder, usable

AT_ONCE = 500  # orders a query


def placed_orders(since: datetime, until: datetime) -> Iterator[Confirmation | UnusableOrder]:
    """The orders that were completed from `since` on and before `until` and not returned, the oldest first."""
    model = AbstractOrder.get_concrete_model()
    completed = model.objects.filter(status=model.STATUS.COMPLETED, completed__gte=since, completed__lt=until)
    for order in completed.order_by("completed", "pk").select_related("plan", "user").iterator(AT_ONCE):
        yield usable(partial(confirmation, order), order.pk)
