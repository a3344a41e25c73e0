"""Whose request it is, whatever it carries, and which one is being served."""

from __future__ import annotations

import json

from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject
from hypothesis import example, given
from hypothesis import strategies as st

from django_vt import identity
from django_vt.events import Confirmation, Event, Login, payload
from django_vt.identity import ALL_WAYS, NOBODY, Identity, Source, choose
from django_vt.visitors import serving
from tests.ordering import PIXEL, request_with, visitor

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
