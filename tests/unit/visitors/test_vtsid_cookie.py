"""ISSUE_VTSID: a visitor without `_vtsid` gets one, in a response that no shared cache keeps, and only there."""

from __future__ import annotations

import asyncio
import re
from functools import partial

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.middleware.cache import FetchFromCacheMiddleware, UpdateCacheMiddleware
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.views.decorators.cache import cache_control

from django_vt import identity
from django_vt.identity import VTSID_PATTERN, Identity
from django_vt.middleware import VTIdentityMiddleware
from django_vt.models import SendLogEntry
from django_vt.visitors import vtsid_cookie
from tests.projects.shop.models import Order
from tests.support.ordering import PIXEL_COOKIE, request_with

ORDER = {"number": "100023", "email": "buyer@example.com"}


@pytest.fixture
def issue(settings):
    """Sets ISSUE_VTSID; gives what serves a request as the middleware does."""

    def set_up(value=True, **block):
        settings.DJANGO_VT = {**settings.DJANGO_VT, "ISSUE_VTSID": value, **block}

    return set_up


@pytest.fixture(autouse=True)
def _nothing_told(monkeypatch):
    monkeypatch.setattr(vtsid_cookie, "_told", set())


def page(request):
    return HttpResponse(request.vt_identity.vtsid)


async def async_page(request):
    await asyncio.sleep(0)
    return HttpResponse(identity.current().vtsid)


def serve(request=None, view=page):
    return VTIdentityMiddleware(view)(request or request_with())


def serve_async(request=None, view=async_page):
    # Not asyncio.run: what asks the database would do so in a thread, whose connection nobody closes.
    return async_to_sync(VTIdentityMiddleware(view))(request or request_with())


def allow(request):
    return request.COOKIES.get("consent") == "yes"


async def allow_async(request):
    await asyncio.sleep(0)
    return allow(request)


class Consent:
    async def __call__(self, request):
        return await allow_async(request)


asks_as_an_object = Consent()
asks_by_a_sync_function = partial(allow_async)


async def cancelled(request):
    raise asyncio.CancelledError


def ask_the_database(request):
    return Order.objects.count() == 0


def fail(request):
    raise LookupError("buyer@example.com")


BOTH = pytest.mark.parametrize("serve", [serve, serve_async])


@BOTH
def test_the_visitor_gets_an_id_that_the_same_requests_identity_carries(issue, serve):
    issue()
    response = serve()
    cookie = response.cookies["_vtsid"]
    assert VTSID_PATTERN.fullmatch(cookie.value)
    assert response.content.decode() == cookie.value


@BOTH
def test_the_response_that_sets_it_is_kept_out_of_shared_caches(issue, serve):
    issue()
    response = serve()
    assert (response.headers["Vary"], response.headers["Cache-Control"]) == ("Cookie", "private")


def test_it_depends_on_the_header_too_where_one_stands_in_for_the_cookie(issue):
    issue(VTSID_HEADER="X-VTSID")
    assert serve()["Vary"] == "Cookie, X-VTSID"
    request = request_with()
    request.META["HTTP_X_VTSID"] = "abc"
    response = serve(request)
    assert response.content == b"abc"
    assert "_vtsid" not in response.cookies
    assert not response.has_header("Vary")


def test_a_public_page_becomes_private_and_keeps_how_long_it_lasts(issue):
    issue()
    response = serve(view=cache_control(public=True, max_age=60, s_maxage=600)(page))
    assert set(response.headers["Cache-Control"].split(", ")) == {"max-age=60", "private"}


def test_djangos_own_cache_does_not_hand_it_to_others(issue, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "vtsid"}}
    issue()
    site = UpdateCacheMiddleware(FetchFromCacheMiddleware(VTIdentityMiddleware(page)))
    # With a cookie: a response to a request with none at all it would not keep anyhow.
    first, second = (site(request_with(consent="yes")) for _ in range(2))
    assert first.cookies["_vtsid"].value != second.cookies["_vtsid"].value
    assert first.content != second.content


def test_the_cookie_is_as_the_sessions_is_but_for_scripts_to_read(issue, settings):
    settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_PATH = True, "/shop/"
    settings.SESSION_COOKIE_DOMAIN, settings.SESSION_COOKIE_HTTPONLY = "example.com", True
    issue(VTSID_AGE=3600)
    cookie = serve().cookies["_vtsid"]
    assert (cookie["secure"], cookie["samesite"], cookie["httponly"]) == (True, "Lax", "")
    assert (cookie["path"], cookie["domain"], cookie["max-age"]) == ("/shop/", "example.com", 3600)


def test_it_is_not_secure_where_the_session_cookie_is_not_and_lasts_a_year(issue):
    issue()
    cookie = serve().cookies["_vtsid"]
    assert (cookie["secure"], cookie["path"], cookie["domain"], cookie["max-age"]) == ("", "/", "", 31536000)


def test_no_two_visitors_get_the_same(issue):
    issue()
    assert len({serve().cookies["_vtsid"].value for _ in range(100)}) == 100


@BOTH
def test_a_visitor_who_has_one_keeps_it_and_the_page_stays_as_it_is(issue, serve):
    issue()
    response = serve(request_with(_vtsid="site-1"))
    assert response.content == b"site-1"
    assert not response.cookies
    assert not {"Vary", "Cache-Control"} & set(response.headers)


def test_one_that_is_none_is_replaced(issue):
    issue()
    response = serve(request_with(_vtsid="<script>"))
    assert response.content.decode() == response.cookies["_vtsid"].value != "<script>"


def test_a_visitor_with_the_pixels_cookie_gets_one_beside_it(issue):
    issue()
    seen = []
    response = serve(
        request_with(_vt_user=PIXEL_COOKIE), lambda request: seen.append(request.vt_identity) or HttpResponse()
    )
    assert seen == [Identity("8139618027113397", "253412802711339765", response.cookies["_vtsid"].value)]


@BOTH
@pytest.mark.parametrize("block", [{"value": False}, {"value": True, "ENABLED": False}])
def test_nobody_gets_one_where_it_is_off(issue, serve, block):
    issue(**block)
    response = serve()
    assert response.content == b""
    assert not response.cookies
    assert not {"Vary", "Cache-Control"} & set(response.headers)


@BOTH
@pytest.mark.parametrize("hook", ["allow", "allow_async", "asks_as_an_object", "asks_by_a_sync_function"])
def test_the_hook_says_who_gets_one(issue, serve, hook):
    issue(f"{__name__}.{hook}")
    assert "_vtsid" in serve(request_with(consent="yes")).cookies
    assert not serve(request_with(consent="no")).cookies


@BOTH
@pytest.mark.django_db(transaction=True)
def test_the_hook_may_ask_the_database(issue, serve):
    issue(f"{__name__}.ask_the_database")
    assert "_vtsid" in serve().cookies


def test_the_hook_is_not_asked_about_a_visitor_who_has_one(issue, caplog):
    issue(f"{__name__}.fail")
    serve(request_with(_vtsid="site-1"))
    assert caplog.messages == []


@BOTH
@pytest.mark.parametrize(
    ("hook", "error"),
    [
        (f"{__name__}.fail", "LookupError"),
        (f"{__name__}.cancelled", "CancelledError"),
        ("no.such.hook", "ModuleNotFoundError"),
        (f"{__name__}.ORDER", "TypeError"),
        (5, "ImportError"),
    ],
)
def test_a_hook_that_fails_is_a_no_that_is_logged_once_by_class(issue, caplog, serve, hook, error):
    issue(hook)
    for _ in range(3):
        response = serve()
        assert response.status_code == 200
        assert not response.cookies
    assert caplog.messages == [f"ISSUE_VTSID raised, so no cookie is set: {error}"]
    assert caplog.records[0].exc_info is None


def test_an_age_that_is_none_does_not_cost_the_page(issue, caplog):
    issue(VTSID_AGE="a year")
    assert [serve().status_code for _ in range(2)] == [200, 200]
    assert caplog.messages == ["The cookie could not be set: ValueError"]


def test_a_view_that_sets_or_deletes_the_cookie_has_its_way(issue):
    def view(request):
        response = HttpResponse()
        response.delete_cookie("_vtsid")
        return response

    issue()
    response = serve(view=view)
    assert (response.cookies["_vtsid"].value, response.cookies["_vtsid"]["max-age"]) == ("", 0)


def test_streaming_pages_get_it_and_are_not_read(issue):
    def view(request):
        return StreamingHttpResponse(iter([request.vt_identity.vtsid, "!"]))

    issue()
    response = serve(view=view)
    assert response.getvalue().decode() == response.cookies["_vtsid"].value + "!"


def test_async_streaming_pages_get_it_too(issue):
    async def parts(request):
        yield request.vt_identity.vtsid

    async def view(request):
        return StreamingHttpResponse(parts(request))

    async def call():
        response = await VTIdentityMiddleware(view)(request_with())
        return response, b"".join([part async for part in response])

    issue()
    response, content = async_to_sync(call)()
    assert content.decode() == response.cookies["_vtsid"].value


@pytest.mark.django_db
def test_the_first_order_of_a_visitor_goes_by_the_id_that_the_browser_has_then(issue):
    issue()
    client = Client()
    with CaptureQueriesContext(connection) as queries:
        client.get("/")
    assert len(queries) == 0
    issued = client.cookies["_vtsid"].value
    assert "_vtsid" not in client.post("/buy/", ORDER).cookies
    assert SendLogEntry.objects.get().identity == f"vtsid:{issued}"


@pytest.mark.django_db
def test_an_order_with_the_very_first_request_goes_by_it_too(issue):
    issue()
    response = Client().post("/buy/", ORDER)
    assert SendLogEntry.objects.get().identity == f"vtsid:{response.cookies['_vtsid'].value}"


@pytest.mark.django_db(transaction=True)
def test_so_does_one_under_asgi(issue):
    issue()

    async def order():
        return await AsyncClient().post("/buy-async/", ORDER)

    response = async_to_sync(order)()
    assert SendLogEntry.objects.get().identity == f"vtsid:{response.cookies['_vtsid'].value}"
    assert re.search(r"\bCookie\b", response.headers["Vary"])
