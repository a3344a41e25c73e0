"""Whose request it is, whatever it carries, and which one is being served."""

from __future__ import annotations

import json

import pytest
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject
from hypothesis import example, given
from hypothesis import strategies as st

from django_vt import identity
from django_vt.events import Confirmation, Event, Login, payload
from django_vt.identity import ALL_WAYS, NOBODY, Identity, Source, choose
from django_vt.visitors import serving
from tests.support.delivering import configure
from tests.support.ordering import PIXEL, PIXEL_COOKIE, request_with, visitor

IDENTITY_KEYS = {"userId", "sessionId", "_vtsid", "email"}


@given(st.binary(max_size=300))
@example(b"_vt_user=1_2; _vtsid=abc")
@example(b'_vt_user="1_2\\073"; _vtsid=\xff')
def test_a_cookie_header_of_any_bytes_never_raises_and_names_one_way_at_most(header):
    request = RequestFactory().get("/", HTTP_COOKIE=header.decode("latin-1"))
    known = serving.of_request(request)
    for event in (Event("wishlist"), Login("", "website"), Confirmation("1", 1, [("a", 1)])):
        chosen = choose(ALL_WAYS, [Source(lambda: known)])
        keys = set(json.loads(payload(event, chosen))) & IDENTITY_KEYS
        assert keys in ([{"userId", "sessionId"}, {"_vtsid"}] if chosen else [set()])


def test_a_request_is_known_with_and_without_the_middleware():
    assert serving.of_request(None) is NOBODY
    assert serving.of_request(visitor()) == PIXEL
    request = request_with(_vt_user="1_2")
    request.vt_identity = SimpleLazyObject(lambda: PIXEL)
    assert serving.of_request(request) == PIXEL
    request.vt_identity = "something of the shop's own"
    assert serving.of_request(request) == Identity("1", "2")


def test_the_request_being_served_is_current_until_it_is_served():
    assert identity.current() is NOBODY
    assert serving.current_request() is None
    request = visitor()
    token = serving.start_serving(request)
    assert identity.current() == PIXEL
    assert serving.current_request() is request
    serving.stop_serving(token)
    assert identity.current() is NOBODY


class Wrapper:
    """Leads to a request by one name, as the frameworks' contexts do."""

    def __init__(self, name, inner):
        setattr(self, name, inner)


class Proxy:
    """As REST framework's: what it has not, its request has."""

    def __init__(self, inner):
        self._request = inner
        self.user = "of the token"

    def __getattr__(self, name):
        return getattr(self._request, name)


@pytest.mark.parametrize(
    "wrap",
    [
        Proxy,
        lambda request: Wrapper("request", request),
        lambda request: Wrapper("_request", request),
        lambda request: Wrapper("context", {"request": request}),
        lambda request: Wrapper("context", Wrapper("request", Proxy(request))),
        lambda request: {"request": request, "response": None},
    ],
)
def test_a_request_serves_however_it_is_wrapped(wrap):
    assert serving.of_request(wrap(visitor())) == PIXEL
    known = request_with()
    known.vt_identity = Identity(vtsid="x")
    assert serving.of_request(wrap(known)) == Identity(vtsid="x")


def test_the_outermost_that_has_cookies_is_the_request():
    proxy = Proxy(visitor())
    assert serving.request_in({"request": proxy}) is proxy
    assert serving.request_in(proxy).user == "of the token"


@pytest.mark.parametrize(
    "nothing", [None, 5, "request", {}, {"request": None}, object(), Wrapper("COOKIES", "no dict")]
)
def test_what_leads_to_no_request_names_nobody(nothing):
    assert serving.request_in(nothing) is None
    assert serving.of_request(nothing) is NOBODY


def test_a_circle_of_wrappers_ends():
    circle = Wrapper("request", None)
    circle.request = circle
    assert serving.of_request(circle) is NOBODY


HEADERS = {"PIXEL_HEADER": "X-VT-User", "VTSID_HEADER": "X-VTSID"}


@pytest.mark.parametrize(
    ("sent", "cookies", "known"),
    [
        ({"X-VT-User": f"{PIXEL_COOKIE}", "X-VTSID": "abc"}, {}, Identity(PIXEL.user_id, PIXEL.session_id, "abc")),
        ({"x-vt-user": "1_2"}, {"_vt_user": "3_4", "_vtsid": "abc"}, Identity("1", "2", "abc")),
        ({"X-VTSID": "abc"}, {"_vt_user": "3_4", "_vtsid": "def"}, Identity("3", "4", "abc")),
        ({"X-VT-User": "junk", "X-VTSID": "a b"}, {"_vt_user": "3_4", "_vtsid": "def"}, Identity("3", "4", "def")),
        ({"X-VT-User": "junk@example.com", "X-VTSID": "a@b"}, {}, NOBODY),
        ({"X-Other": "1_2"}, {}, NOBODY),
    ],
)
def test_headers_stand_in_for_the_cookies_and_are_judged_as_they_are(settings, sent, cookies, known):
    configure(settings, **HEADERS)
    request = RequestFactory().get("/", headers=sent)
    request.COOKIES.update(cookies)
    assert serving.of_request(request) == known


def test_a_header_that_no_setting_names_says_nothing():
    assert not serving.of_request(RequestFactory().get("/", headers={"X-VT-User": "1_2", "X-VTSID": "abc"}))


def test_a_request_without_headers_goes_by_its_cookies(settings):
    configure(settings, **HEADERS)
    assert serving.of_request(Wrapper("COOKIES", {"_vtsid": "abc"})) == Identity(vtsid="abc")
