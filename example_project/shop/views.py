"""The way through the shop: look, fill the basket, order."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from example_project.shop.basket import Basket
from example_project.shop.checkout import place_order
from example_project.shop.forms import CARD, CheckoutForm, QuantityForm
from example_project.shop.models import Order, Product
from example_project.shop.payment import payment_page

LAST_ORDER = "last_order"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/home.html", {"products": Product.objects.all()})


@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "shop/product.html", {"product": get_object_or_404(Product, slug=slug)})


@require_safe
def basket(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/basket.html", lines_and_total(request))


@require_POST
def add_to_basket(request: HttpRequest, slug: str) -> HttpResponse:
    product = get_object_or_404(Product, slug=slug)
    Basket(request.session).add(product)
    messages.success(request, f"{product.name} is in your basket.")
    return redirect("shop:basket")


@require_POST
def buy_now(request: HttpRequest, slug: str) -> HttpResponse:
    product = get_object_or_404(Product, slug=slug)
    basket = Basket(request.session)
    if product not in basket:
        basket.add(product)
    return redirect("shop:checkout")


@require_POST
def set_quantity(request: HttpRequest, slug: str) -> HttpResponse:
    product = get_object_or_404(Product, slug=slug)
    form = QuantityForm(request.POST)
    if form.is_valid():
        Basket(request.session).set(product, form.cleaned_data["quantity"])
        messages.success(request, "Your basket is up to date.")
    else:
        messages.error(request, "Please give a number from 0 to 99.")
    return redirect("shop:basket")


@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    context = lines_and_total(request)
    if not context["lines"]:
        return redirect("shop:basket")
    form = CheckoutForm(request.POST or None, initial={"email": getattr(request.user, "email", "")})
    if form.is_valid():
        order = place_order(request, form, context["lines"])
        Basket(request.session).clear()
        request.session[LAST_ORDER] = order.pk
        return redirect(payment_page(order) if form.cleaned_data["payment"] == CARD else "shop:thank-you")
    return render(request, "shop/checkout.html", {"form": form, **context})


@require_safe
def thank_you(request: HttpRequest) -> HttpResponse:
    """The visitor's last order: it is in the session, so nobody else's can be had by guessing."""
    order = get_object_or_404(Order.objects.prefetch_related("lines"), pk=request.session.get(LAST_ORDER))
    return render(request, "shop/thank_you.html", {"order": order})


def lines_and_total(request: HttpRequest) -> dict[str, Any]:
    lines = list(Basket(request.session))
    return {"lines": lines, "total": sum(line.total for line in lines)}
