"""The middleware costs an object: it looks at cookies when asked, and at nothing else."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.db import connection
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from django_vt import dispatchers, identity
from django_vt.dispatchers.manual import ManualDispatcher
from django_vt.identity import NOBODY, Identity
from django_vt.middleware import VTIdentityMiddleware
from django_vt.visitors import serving
from tests.support.ordering import PIXEL, PIXEL_COOKIE, visitor


class Untouchable:
    """Cookies, or a user, that nobody may look at."""

    def __getattr__(self, name):
        raise AssertionError(f"looked at: {name}")


def serve(request, view):
    return VTIdentityMiddleware(view)(request)


def test_the_view_sees_the_visitors_identity():
    seen = []
    response = serve(visitor(), lambda request: seen.append(request.vt_identity) or HttpResponse("ok"))
    assert seen == [PIXEL]
    assert isinstance(seen[0], Identity)
    assert response.content == b"ok"


def test_cookies_and_user_are_not_looked_at_before_they_are_asked_for():
    request = RequestFactory().get("/")
    request.COOKIES, request.user, request.session = Untouchable(), Untouchable(), Untouchable()
    assert serve(request, lambda request: HttpResponse()).status_code == 200
    with pytest.raises(AssertionError, match="looked at"):
        bool(request.vt_identity)


def test_the_cookies_are_read_once():
    request = visitor()
    serve(request, lambda request: HttpResponse())
    assert request.vt_identity == PIXEL
    request.COOKIES.clear()
    assert request.vt_identity == PIXEL


def test_the_served_request_is_current_only_while_it_is_served():
    seen = []
    request = visitor()
    serve(request, lambda request: seen.append((identity.current(), serving.current_request())) or HttpResponse())
    assert seen == [(PIXEL, request)]
    assert serving.current_request() is None


def test_a_view_that_raises_leaves_nothing_current():
    def failing(request):
        raise LookupError

    with pytest.raises(LookupError):
        serve(visitor(), failing)
    assert identity.current() is NOBODY


def test_a_request_served_inside_another_gives_it_back():
    inner, outer = visitor(), visitor()
    seen = []

    def view(request):
        serve(inner, lambda request: HttpResponse())
        seen.append(serving.current_request())
        return HttpResponse()

    serve(outer, view)
    assert seen == [outer]


@pytest.mark.django_db
def test_a_page_costs_no_query_and_does_not_vary_by_cookie():
    client = Client()
    client.cookies["_vt_user"] = PIXEL_COOKIE
    with CaptureQueriesContext(connection) as queries:
        response = client.get("/")
    assert len(queries) == 0
    assert "Vary" not in response.headers
    assert not response.cookies


def test_it_serves_async_views_and_says_so():
    async def view(request):
        await asyncio.sleep(0)
        return HttpResponse(repr(identity.current()))

    middleware = VTIdentityMiddleware(view)
    assert iscoroutinefunction(middleware)
    assert not iscoroutinefunction(VTIdentityMiddleware(lambda request: HttpResponse()))

    async def serve():
        return await middleware(visitor())

    response = async_to_sync(serve)()
    assert "Identity: pixel" in response.content.decode()
    assert serving.current_request() is None


def test_async_requests_served_at_once_each_have_their_own():
    async def view(request):
        await asyncio.sleep(0)
        assert serving.current_request() is request
        await asyncio.sleep(0)
        return HttpResponse(identity.current().user_id)

    async def both():
        requests = [RequestFactory().get("/", headers={"cookie": f"_vt_user={n}_1"}) for n in (1, 2, 3)]
        return await asyncio.gather(*(VTIdentityMiddleware(view)(request) for request in requests))

    assert [response.content for response in async_to_sync(both)()] == [b"1", b"2", b"3"]


def test_an_async_view_that_raises_leaves_nothing_current():
    async def failing(request):
        raise LookupError

    async def call():
        with pytest.raises(LookupError):
            await VTIdentityMiddleware(failing)(visitor())
        return serving.current_request()

    assert async_to_sync(call)() is None


async def serve_asgi():
    client = AsyncClient()
    client.cookies["_vt_user"] = PIXEL_COOKIE
    return await client.get("/")


@pytest.mark.django_db
def test_it_works_under_asgi_with_a_sync_view():
    response = async_to_sync(serve_asgi)()
    assert (response.content, response.headers.get("Vary")) == (b"home", None)


@pytest.fixture
def new_process(monkeypatch):
    monkeypatch.setattr(dispatchers.first_request, "is_served", False)


@pytest.fixture
def starts(monkeypatch, settings):
    started = []
    monkeypatch.setattr(ManualDispatcher, "start", lambda self, using: started.append(using), raising=False)
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}
    return started


def test_a_processs_first_request_starts_the_dispatcher_without_a_query(new_process, starts):
    # No fixture allows the database here: a query would fail the test.
    for _ in range(3):
        serve(visitor(), lambda request: HttpResponse())
    assert starts == ["default"]


def test_nothing_is_started_where_the_app_is_off(new_process, starts, settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ENABLED": False}
    serve(visitor(), lambda request: HttpResponse())
    assert starts == []


def test_a_dispatcher_that_cannot_start_does_not_fail_the_request(new_process, settings, caplog):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": "no.such.Dispatcher"}
    assert serve(visitor(), lambda request: HttpResponse()).status_code == 200
    assert "no.such.Dispatcher could not be started: ModuleNotFoundError" in caplog.text
