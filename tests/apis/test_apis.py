"""An order placed over an API is its buyer's, by whichever form of the request the shop has at hand, without a word."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from rest_framework.authtoken.models import Token

from django_vt.models import SendLogEntry
from tests.apis import graphene_api, rest, strawberry_api
from tests.support.ordering import PIXEL, PIXEL_COOKIE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.apis]


class Api(NamedTuple):
    """Where it takes orders, in which forms its view has the request, and how it is asked."""

    path: str
    forms: tuple[str, ...]
    question: str = ""


REST = Api("/rest/orders", tuple(rest.FORMS))
GRAPHENE = Api(
    "/graphene", tuple(graphene_api.FORMS), 'mutation {{ placeOrder(form: "{form}", way: "{way}") {{ done }} }}'
)
QUESTION = 'mutation {{ placeOrder(form: "{form}", way: "{way}") }}'
SYNC = (
    REST,
    Api("/ninja/orders", ("request",)),
    Api("/strawberry", tuple(strawberry_api.FORMS), QUESTION),
    Api("/graphene", tuple(graphene_api.FORMS), QUESTION.replace(") }}", ") {{ done }} }}")),
)
ASYNC = (
    Api("/ninja/async-orders", ("request",)),
    Api("/strawberry-async", tuple(strawberry_api.FORMS), QUESTION),
)
WAYS = ("track", "order_placed")


def cases(*apis):
    """Each form of each API, with each way to say that an order was placed."""
    return pytest.mark.parametrize(
        ("api", "form", "way"),
        [
            pytest.param(api, form, way, id=f"{api.path} {form} {way}")
            for api in apis for form in api.forms for way in WAYS
        ],
    )  # fmt: skip


def body(api, form, way):
    return {"query": api.question.format(form=form, way=way)} if api.question else {"form": form, "way": way}


def recorded(response):
    """The entry of the order that was placed."""
    assert response.status_code in {200, 201}
    assert "errors" not in (response.json() if response.content else {})
    return SendLogEntry.objects.get(event_type="confirmation")


def place(api, form, way, client=None, **headers):
    answer = (client or Client()).post(api.path, body(api, form, way), "application/json", headers=headers)
    return recorded(answer)


@cases(*SYNC)
def test_by_cookie(api, form, way):
    browser = Client()
    browser.cookies["_vt_user"] = PIXEL_COOKIE
    entry = place(api, form, way, browser)
    assert (entry.identity, entry.status, entry.reference) == (PIXEL.stored_form, "sent", "100023")


@cases(*SYNC)
@pytest.mark.parametrize(("header", "value"), [("X-VT-User", PIXEL_COOKIE), ("X-VTSID", "visitor-7")])
def test_by_a_header_of_a_page_on_another_domain(api, form, way, header, value):
    entry = place(api, form, way, **{header: value})
    identity = {PIXEL_COOKIE: PIXEL.stored_form}.get(value, "vtsid:visitor-7")
    assert (entry.identity, entry.status) == (identity, "sent")


@cases(*SYNC)
@pytest.mark.parametrize("junk", ["", "<script>", "a b_c d", "1_2'; --", "é_é", "x" * 4000])
def test_junk_in_both_headers_names_nobody(api, form, way, junk):
    entry = place(api, form, way, **{"X-VT-User": junk, "X-VTSID": junk})
    assert (entry.identity, entry.status, entry.reason) == ("", "skipped", "nobody")


@cases(*SYNC)
def test_the_cookie_counts_where_the_header_is_junk(api, form, way):
    browser = Client()
    browser.cookies["_vt_user"] = PIXEL_COOKIE
    assert place(api, form, way, browser, **{"X-VT-User": "junk"}).identity == PIXEL.stored_form


@cases(*ASYNC)
@pytest.mark.parametrize("headers", [{"X-VT-User": PIXEL_COOKIE}, {"cookie": f"_vt_user={PIXEL_COOKIE}"}])
def test_of_async_code_by_cookie_and_by_header(api, form, way, headers):
    post = async_to_sync(AsyncClient().post)
    entry = recorded(post(api.path, body(api, form, way), "application/json", headers=headers))
    assert (entry.identity, entry.status) == (PIXEL.stored_form, "sent")


# Who it is by the framework's own authentication


@pytest.fixture
def buyer():
    return User.objects.create_user("buyer", "buyer@example.com", "secret")


@cases(*SYNC)
def test_by_the_address_of_who_has_a_session(api, form, way, buyer):
    browser = Client()
    browser.force_login(buyer)
    assert place(api, form, way, browser).identity == "email:buyer@example.com"


@cases(REST)
def test_by_the_address_of_whom_the_token_is(api, form, way, buyer):
    token = Token.objects.create(user=buyer)
    assert place(api, form, way, authorization=f"Token {token.key}").identity == "email:buyer@example.com"


@cases(REST)
def test_a_tokens_request_with_ids_is_the_visitors(api, form, way, buyer):
    token = Token.objects.create(user=buyer)
    headers = {"authorization": f"Token {token.key}", "X-VT-User": PIXEL_COOKIE}
    assert place(api, form, way, **headers).identity == PIXEL.stored_form
