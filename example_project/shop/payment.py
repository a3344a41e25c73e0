"""A page that plays a payment provider, and the shop's side of it: the callback.

In a real shop the page is the provider's own, on another site. It tells the shop of the payment from server to server:
that request carries no cookie of the shopper's, and may come when the shopper has long closed the browser.
"""

import requests
from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from example_project.shop import checkout
from example_project.shop.models import Order

signer = Signer(salt="example_project.shop.payment")
PATIENCE = 30  # seconds


def payment_page(order: Order) -> str:
    """Where the buyer is sent to pay."""
    return reverse("shop:payment", args=[signer.sign(order.pk)])


@require_http_methods(["GET", "HEAD", "POST"])
def payment(request: HttpRequest, payment: str) -> HttpResponse:
    """The provider's page."""
    try:
        order = order_of(payment)
    except BadSignature:
        raise Http404 from None
    if request.method == "POST":
        call_back(request, payment)
        return redirect("shop:thank-you")
    return render(request, "shop/payment.html", {"order": order})


def call_back(request: HttpRequest, payment: str) -> None:
    """The provider's server tells the shop's: a client of its own, without the shopper's cookies."""
    with requests.Session() as provider:
        provider.trust_env = False  # no proxy on the way to this machine
        address = request.build_absolute_uri(reverse("shop:payment-callback"))
        provider.post(address, data={"payment": payment}, timeout=PATIENCE).raise_for_status()


@csrf_exempt
@require_POST
def callback(request: HttpRequest) -> HttpResponse:
    """The shop's: an order is paid. A provider may call twice; the order is reported once."""
    try:
        order = order_of(request.POST.get("payment", ""))
    except BadSignature:
        return HttpResponseBadRequest("That is none of our payments.")
    checkout.report(order)
    return HttpResponse(status=204)


def order_of(payment: str) -> Order:
    return get_object_or_404(Order.objects.prefetch_related("lines"), pk=signer.unsign(payment))
