"""Orders placed as README tells shops to: the signal is sent inside the order's own transaction.

A POST takes, where they matter, `number`, `total`, `email`, `sku` and `quantity`.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from django_vt.events import Item
from django_vt.signals import order_placed
from tests.projects.shop.models import Order


class OutOfStock(Exception):
    """The shop's own failure, after the order was signalled."""


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("home")


@csrf_exempt
def buy(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        order = Order.objects.create(**order_fields(request))
        order_placed.send(sender=Order, request=request, **event_fields(order, request))
    return HttpResponse(order.number)


@csrf_exempt
def buy_and_fail(request: HttpRequest) -> HttpResponse:
    """The order is rolled back after the signal."""
    try:
        with transaction.atomic():
            order = Order.objects.create(**order_fields(request))
            order_placed.send(sender=Order, request=request, **event_fields(order, request))
            raise OutOfStock
    except OutOfStock:
        return HttpResponse("out of stock", status=409)


@csrf_exempt
async def buy_async(request: HttpRequest) -> HttpResponse:
    order = await Order.objects.acreate(**order_fields(request))
    await order_placed.asend(sender=Order, request=request, **event_fields(order, request))
    return HttpResponse(order.number)


def order_fields(request: HttpRequest) -> dict[str, object]:
    return {
        "number": request.POST.get("number", "100023"),
        "total": Decimal(request.POST.get("total", "234.12")),
        "email": request.POST.get("email", ""),
    }


def event_fields(order: Order, request: HttpRequest) -> dict[str, object]:
    item = Item(request.POST.get("sku", "123123-M"), int(request.POST.get("quantity", "2")))
    return {"order_id": order.number, "total": order.total, "items": [item], "email": order.email}
