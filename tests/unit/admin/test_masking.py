"""What remains of a person when they are masked."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_vt.admin import privacy
from django_vt.events import Confirmation, Event, Item, Login, payload
from django_vt.identity import Identity
from tests.support.people import CANARY, PIXEL

USER, SESSION = PIXEL.split("_")


@pytest.mark.parametrize(
    ("stored", "masked"),
    [
        ("email:buyer@example.com", "email:b***@***"),
        (f"pixel:{PIXEL}", "pixel:8139***"),
        ("vtsid:abcdefghijkl", "vtsid:abcd***"),
        ("vtsid:short", "vtsid:***"),
        ("", ""),
    ],
)
def test_an_identity_keeps_its_way_and_a_glimpse(stored, masked):
    assert privacy.mask_identity(stored) == masked


def test_an_order_keeps_what_was_bought():
    event = Confirmation(
        "100023", "234.12", [Item("A-1", 2)], email=CANARY, extra={"coupon": "X", "cc": [f"me <{CANARY}>"]}
    )
    masked = privacy.mask_event(json.loads(payload(event, Identity(user_id=USER, session_id=SESSION))))
    assert masked == {
        "userId": "8139***",
        "sessionId": "2534***",
        "type": "confirmation",
        "items": [{"id": "A-1", "quantity": 2}],
        "generic": {"orderId": "100023", "total": 234.12, "email": "c***@***", "coupon": "X", "cc": ["me <***@***"]},
    }


def test_a_login_keeps_nothing_of_the_person():
    event = Login(CANARY, "website", {"firstName": "Ana", "phone": 40721, "tags": ["vip"]})
    masked = privacy.mask_event(json.loads(payload(event, Identity(email=CANARY))))
    assert masked == {
        "type": "login", "email": "c***@***", "source": "website", "firstName": "***", "phone": "***", "tags": "***",
    }  # fmt: skip


@pytest.mark.parametrize("key", ["userId", "sessionId", "_vtsid", "email"])
def test_identities_are_masked_wherever_they_stand(key):
    assert privacy.mask_event({"a": [{key: "known-to-nobody"}]}) == {"a": [{key: "know***"}]}
    assert privacy.mask_event({key: 1234567890123}) == {key: "1234***"}


@pytest.mark.parametrize(
    ("stored", "masked"),
    [
        (f"pixel:{PIXEL}", "by 8139*** in 2534*** on 42"),
        (f"pixel:42_{SESSION}", f"by {USER} in 2534*** on 42"),
        (f"vtsid:{USER}", f"by 8139*** in {SESSION} on 42"),
        ("", f"by {USER} in {SESSION} on 42"),
    ],
)
def test_their_own_ids_are_masked_in_any_text_but_for_short_ones(stored, masked):
    assert privacy.mask_ids(f"by {USER} in {SESSION} on 42", stored) == masked


@given(
    st.recursive(
        st.text() | st.just(CANARY) | st.none() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just(CANARY), inner),
    )
)
def test_no_address_remains_however_deep(value):
    shown = json.dumps(privacy.mask_event({"type": "wishlist", "data": value}))
    assert CANARY not in shown
    assert "canary" not in shown


def test_an_event_of_plain_data_stays_as_it_is():
    event = json.loads(payload(Event("wishlist", {"productId": "123", "on": True, "price": None}), Identity()))
    assert privacy.mask_event(event) == event
