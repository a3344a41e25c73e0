"""The pages that all three shops have, and the payment provider's callback, which may come to any host.

A POST takes `number`; the callback takes what the shop knows of the order besides: its `account`, the buyer's `email`.
"""

from __future__ import annotations

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from django_vt import remember_identity, track
from django_vt.signals import order_placed
from tests.projects.shop.views import home
from tests.support.ordering import confirmation, order


@csrf_exempt
def buy(request: HttpRequest) -> HttpResponse:
    order_placed.send(sender=None, request=request, **order(order_id=request.POST["number"]))
    return HttpResponse()


@csrf_exempt
def go_to_pay(request: HttpRequest) -> HttpResponse:
    remember_identity(request, request.POST["number"])
    return HttpResponse()


@csrf_exempt
def payment_callback(request: HttpRequest) -> HttpResponse:
    """An adapter that has no request at hand."""
    track(confirmation(**paid(request)), account_id=request.POST.get("account"))
    return HttpResponse()


@csrf_exempt
def payment_callback_with_request(request: HttpRequest) -> HttpResponse:
    """A shop that passes whatever request it has, here the provider's."""
    account_id = request.POST.get("account")
    order_placed.send(sender=None, request=request, account_id=account_id, **order(**paid(request)))
    return HttpResponse()


def paid(request: HttpRequest) -> dict[str, str]:
    return {"order_id": request.POST["number"], "email": request.POST.get("email", "")}


urlpatterns = [
    path("", home),
    path("buy/", buy),
    path("login/", LoginView.as_view(template_name="admin/login.html", next_page="/")),
    path("pay/", go_to_pay),
    path("payment-callback/", payment_callback),
    path("payment-callback-with-request/", payment_callback_with_request),
]
