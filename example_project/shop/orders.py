"""The shop's own orders: ORDERS names `placed_orders`, ORDER_URL names `admin_page`."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from django_vt.events import Confirmation, Item
from example_project.shop.models import Order

AT_ONCE = 500  # orders a query


def placed_orders(since: datetime, until: datetime) -> Iterator[Confirmation]:
    """The orders that have counted from `since` on and before `until`; there may be many, so none is kept."""
    orders = Order.objects.filter(confirmed_at__gte=since, confirmed_at__lt=until)
    for order in orders.order_by("pk").prefetch_related("lines").iterator(AT_ONCE):
        items = [Item(line.sku, line.quantity) for line in order.lines.all()]
        yield Confirmation(order_id=order.number, total=order.total, items=items, email=order.email)


def admin_page(order_id: str) -> str | None:
    """The page of an order in the admin, to which its entries in the send log lead."""
    order = Order.objects.filter(number=order_id).only("pk").first()
    return reverse("admin:shop_order_change", args=[order.pk]) if order else None
