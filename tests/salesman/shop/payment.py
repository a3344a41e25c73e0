"""The three ways of Salesman's documentation to make an order of a basket."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path
from salesman.checkout.payment import PaymentMethod
from salesman.core.utils import get_salesman_model


class Transfer(PaymentMethod):
    """The order is placed at once, and paid by bank transfer."""

    identifier = "transfer"
    label = "Bank transfer"

    def basket_payment(self, basket: Any, request: Any) -> str:
        order = get_salesman_model("Order").objects.create_from_basket(basket, request, status="HOLD")
        basket.delete()
        return f"/api/orders/last/?token={order.token}"


class ByProvider(PaymentMethod):
    """A provider calls back, without the shopper's cookies."""

    def get_urls(self) -> list[Any]:
        return [path("paid/<str:ref>/", self.paid)]

    def paid(self, request: Any, ref: str) -> HttpResponse:
        self.complete(get_salesman_model("Order").objects.get(ref=ref), request)
        return HttpResponse("OK")

    def complete(self, order: Any, request: Any) -> None:
        raise NotImplementedError


class Card(ByProvider):
    """The order has its number before it is paid, and its items afterwards."""

    identifier = "card"
    label = "Card"

    def basket_payment(self, basket: Any, request: Any) -> str:
        order = get_salesman_model("Order").objects.create_from_request(request)
        order.extra["basket"] = basket.pk
        order.save(update_fields=["extra"])
        return f"/pay/{order.ref}"

    def complete(self, order: Any, request: Any) -> None:
        basket = get_salesman_model("Basket").objects.filter(pk=order.extra.pop("basket", None)).first()
        if basket is not None:
            order.populate_from_basket(basket, request, status="PROCESSING")
            basket.delete()
            order.pay(order.total, transaction_id=f"card-{order.ref}")


class PayLater(ByProvider):
    """The order has its items before it is paid."""

    identifier = "later"
    label = "Pay later"

    def basket_payment(self, basket: Any, request: Any) -> str:
        order = get_salesman_model("Order").objects.create_from_basket(basket, request)
        basket.delete()
        return f"/pay/{order.ref}"

    def complete(self, order: Any, request: Any) -> None:
        order.status = "PROCESSING"
        order.save(update_fields=["status"])
