"""A shop's page as the template tag's users write it, one whose script has no nonce, and a checkout."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from tests.shop import views

PAGE = """<!doctype html><title>Shop</title>{% load vt %}{% vt_identify %}
<form action="/buy/" method="post"><input name="number" value="100023"><button>Buy</button></form>"""
BLOCKED = "<!doctype html><title>Blocked</title><script>window.ran = true</script>"


def page(request: HttpRequest, source: str) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(source).render({}, request))


urlpatterns = [
    path("", page, {"source": PAGE}),
    path("blocked/", page, {"source": BLOCKED}),
    path("buy/", views.buy),
]
