"""An async shop's pages. Each gives way to other requests where a shop would wait for something."""

from __future__ import annotations

import asyncio

from django.contrib.auth import aauthenticate, alogin
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from django_vt import aremember_identity, atrack, identity
from django_vt.events import Confirmation, Event
from tests.projects.shop import views
from tests.support.ordering import order

# As many at the database at once as a pool of connections lets in: SQLite has one writer, PostgreSQL 100 connections.
turns = asyncio.Semaphore(20)


async def give_way() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


@csrf_exempt
async def buy(request: HttpRequest) -> HttpResponse:
    """By the signal, and by what an adapter sees that has no request."""
    async with turns:
        await give_way()
        answer = await views.buy_async(request)
        await give_way()
        await atrack(Event("wishlist", reference=request.POST["number"]), identity=identity.current())
    return answer


@csrf_exempt
async def go_to_pay(request: HttpRequest) -> HttpResponse:
    await aremember_identity(request, request.POST["number"])
    return HttpResponse()


@csrf_exempt
async def payment_callback(request: HttpRequest) -> HttpResponse:
    await atrack(Confirmation(**order(order_id=request.POST["number"])))
    return HttpResponse()


@csrf_exempt
async def sign_in(request: HttpRequest) -> HttpResponse:
    user = await aauthenticate(request, username=request.POST["username"], password=request.POST["password"])
    await alogin(request, user)
    return HttpResponse()


urlpatterns = [
    path("", views.home),
    path("buy/", buy),
    path("buy-sync/", views.buy),
    path("go-to-pay/", go_to_pay),
    path("payment-callback/", payment_callback),
    path("sign-in/", sign_in),
]
