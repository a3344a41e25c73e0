"""Placing an order: the one place where the shop meets django-vt."""

from collections.abc import Sequence

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from django_vt import remember_identity
from django_vt.events import Item
from django_vt.signals import order_placed
from example_project.shop.basket import BasketLine
from example_project.shop.forms import CARD, CheckoutForm
from example_project.shop.models import Order, OrderLine


def place_order(request: HttpRequest, form: CheckoutForm, lines: Sequence[BasketLine]) -> Order:
    """The order, its lines and the report of it are committed together, or none of them is."""
    with transaction.atomic():
        order: Order = form.save(commit=False)
        order.user = request.user if request.user.is_authenticated else None
        order.total = sum(line.total for line in lines)
        order.save()
        OrderLine.objects.bulk_create(order_line(order, line) for line in lines)
        if form.cleaned_data["payment"] == CARD:
            # Reported when it is paid: by the provider's callback, which has none of the shopper's cookies.
            remember_identity(request, order.number)
        else:
            report(order, request)
    return order


def report(order: Order, request: HttpRequest | None = None) -> None:
    """The order counts. `request` is the buyer's, where it is the buyer who asks."""
    with transaction.atomic():
        Order.objects.filter(pk=order.pk, confirmed_at=None).update(confirmed_at=timezone.now())
        order_placed.send(
            sender=Order,
            request=request,
            order_id=order.number,
            total=order.total,
            items=[Item(line.sku, line.quantity) for line in order.lines.all()],
            email=order.email,
        )


def order_line(order: Order, line: BasketLine) -> OrderLine:
    return OrderLine(
        order=order,
        product=line.product,
        sku=line.product.sku,
        name=line.product.name,
        price=line.product.price,
        quantity=line.quantity,
    )
