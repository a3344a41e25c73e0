"""A shop's page as the template tag's users write it, one whose script has no nonce, a checkout, and the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from tests.projects.shop import views

PAGE = """<!doctype html><title>Shop</title>{% load vt %}{% vt_identify %}
<form action="/buy/" method="post"><input name="number" value="100023"><button>Buy</button></form>"""
BLOCKED = """<!doctype html><title>Blocked</title><script>window.ran = true</script>
<style>body { color: red }</style><p style="color: red">Styled</p>"""


def page(request: HttpRequest, source: str) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(source).render({}, request))


urlpatterns = [
    path("", page, {"source": PAGE}),
    path("blocked/", page, {"source": BLOCKED}),
    path("buy/", views.buy),
    path("favicon.ico", lambda _request: HttpResponse(status=204)),
    path("admin/", admin.site.urls),
]
