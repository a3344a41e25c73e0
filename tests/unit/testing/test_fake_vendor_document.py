from __future__ import annotations

import json
from urllib.parse import parse_qs, quote, unquote_plus

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from django_vt.testing.fake_vendor.document import read_request
from tests.support.raw_client import LOGIN, ask, confirmation, connected, read_answer, request_bytes, target
from tests.support.recorded import RECORDED

pytestmark = pytest.mark.any_database

PIXEL = {"userId": "0111", "sessionId": "013123"}


def wishlist(**fields: object) -> dict[str, object]:
    return {"type": "wishlist", **fields}


@pytest.mark.parametrize(
    "event",
    [
        confirmation("100023"),
        LOGIN,
        wishlist(**PIXEL),
        wishlist(email="shopper@example.com"),
        wishlist(_vtsid="abc"),
        wishlist(_vtsid="abc", productId=7, anything=[None, {"deep": 1.5}]),
        confirmation("100023", items=[]),
        confirmation("100023", items=[{"id": "1", "quantity": 1.5}], generic={"orderId": "1", "total": 0}),
    ],
)
def test_what_the_document_describes_is_accepted(vendor, event):
    assert ask(vendor, event) == 200
    assert (vendor.events, vendor.violations) == ([event], [])


IDENTITY = "data[0].identity: not exactly one"
VIOLATIONS = [
    ({**LOGIN, "type": "confirmation"}, {"event_type": "login"}, ["data[0].type: not the path's"]),
    (wishlist(), {}, [IDENTITY]),
    (wishlist(**PIXEL, email="shopper@example.com"), {}, [IDENTITY]),
    (wishlist(**PIXEL, _vtsid="abc"), {}, [IDENTITY]),
    (wishlist(email="shopper@example.com", _vtsid="abc"), {}, [IDENTITY]),
    (wishlist(userId="0111"), {}, [IDENTITY]),
    (wishlist(sessionId="0111"), {}, [IDENTITY]),
    (wishlist(userId=111, sessionId="0111"), {}, ["data[0].userId: not a string that names somebody"]),
    (wishlist(email=""), {}, ["data[0].email: not a string that names somebody"]),
    (wishlist(_vtsid=None), {}, ["data[0]._vtsid: not a string that names somebody"]),
    (confirmation("1", generic="text"), {}, ["data[0].generic.orderId: missing"]),
    (confirmation(""), {}, ["data[0].generic.orderId: missing"]),
    (confirmation("1", generic={"orderId": "1", "total": "1.0"}), {}, ["data[0].generic.total: not a number"]),
    (confirmation("1", generic={"orderId": "1", "total": True}), {}, ["data[0].generic.total: not a number"]),
    (confirmation("1", items=None), {}, ["data[0].items: not a list of id and quantity"]),
    (confirmation("1", items=["123"]), {}, ["data[0].items: not a list of id and quantity"]),
    (confirmation("1", items=[{"id": "", "quantity": 1}]), {}, ["data[0].items: not a list of id and quantity"]),
    (confirmation("1", items=[{"id": "1"}]), {}, ["data[0].items: not a list of id and quantity"]),
    ("text", {}, ["data[0].event: not an object"]),
    (LOGIN, {"ts": None}, ["ts: not an integer"]),
    (LOGIN, {"ts": "1.5"}, ["ts: not an integer"]),
    (LOGIN, {"ts": "\u0661"}, ["ts: not an integer"]),
    (LOGIN, {"data": None}, ["data: not JSON"]),
    (LOGIN, {"data": "[NaN]"}, ["data: not JSON"]),
    (LOGIN, {"data": json.dumps(LOGIN)}, ["data: not a list of events"]),
    (LOGIN, {"data": "[]", "ts": ""}, ["data: not a list of events", "ts: not an integer"]),
]


@pytest.mark.parametrize(("event", "changes", "violations"), VIOLATIONS)
def test_what_the_document_forbids_is_refused_and_named(vendor, event, changes, violations):
    assert ask(vendor, event, **changes) == 400
    assert vendor.violations == violations
    assert vendor.events == []


def test_one_bad_event_has_its_whole_request_refused_and_is_named_by_its_place(vendor):
    assert ask(vendor, LOGIN, {"type": "login"}, "text") == 400
    assert vendor.violations == [
        "data[1].identity: not exactly one",
        "data[2].event: not an object",
    ]
    assert vendor.received_events == [LOGIN, {"type": "login"}]


def test_the_answer_tells_the_developer_what_is_wrong(vendor):
    url = vendor.endpoint.removesuffix("/event") + target(LOGIN, ts="x", callback=None)
    answer = requests.get(url).json()
    assert answer == {"error": "not as documented", "violations": ["ts: not an integer"]}


@pytest.mark.parametrize("kind", ["confirmation", "login"])
def test_the_vendors_own_examples_are_accepted(vendor, kind):
    recorded = RECORDED[kind]
    url = vendor.endpoint.removesuffix("/event") + f"{recorded['path']}?{recorded['raw_query']}"
    assert requests.get(url).ok
    assert vendor.events == recorded["events"]


def test_account_and_type_are_read_unescaped(vendor):
    with connected(vendor) as client:
        client.sendall(request_bytes("/event/acc%20123/l%6Fgin"))
        read_answer(client)
    [request] = vendor.requests
    assert (request.path, request.account_id, request.event_type) == ("/event/acc%20123/l%6Fgin", "acc 123", "login")


@given(st.text(st.characters(codec="utf-8")), st.text('%:,"+{}[]0123456789abcdefABCDEF25', max_size=20))
def test_a_query_is_read_as_the_standard_library_reads_it(text, tail):
    value = quote(text) + tail
    request = read_request("GET", f"/event/acc123/login?callback={value}", {})
    assert request.callback == (unquote_plus(value) or None)


def test_of_a_query_everything_arrives_that_was_sent(vendor):
    events = [wishlist(_vtsid="abc", note=note) for note in ("%25 + & = ?", "ăîșț 😀", "\\ \" ' \x00")]
    assert ask(vendor, *events) == 200
    [request] = vendor.requests
    assert vendor.events == events
    assert json.loads(parse_qs(request.raw_query)["data"][0]) == events
