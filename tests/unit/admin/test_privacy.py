"""What remains of a person when they are masked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_vt.admin import privacy
from django_vt.events import AnyEvent, BaseEvent, Confirmation, Item, Login, impersonal_keys, naming, payload
from django_vt.identity import Identity
from django_vt.models import SendLogEntry
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
        "100023",
        "234.12",
        [Item("A-1", 2)],
        email=CANARY,
        extra={"coupon": "X", "cc": [f"me <{CANARY}>"], "phone": "0721", "status": [f"for {CANARY}"]},
    )
    masked = privacy.mask_event(json.loads(payload(event, Identity(user_id=USER, session_id=SESSION))))
    assert masked == {
        "userId": "8139***",
        "sessionId": "2534***",
        "type": "confirmation",
        "items": [{"id": "A-1", "quantity": 2}],
        "generic": {
            "orderId": "100023",
            "total": 234.12,
            "email": "c***@***",
            "coupon": "X",
            "cc": "***",
            "phone": "***",
            "status": ["for c***@***"],
        },
    }


def test_a_login_keeps_nothing_of_the_person():
    event = Login(CANARY, "website", {"firstName": "Ana", "phone": 40721, "tags": ["vip"]})
    masked = privacy.mask_event(json.loads(payload(event, Identity(email=CANARY))))
    assert masked == {
        "type": "login", "email": "c***@***", "source": "website", "firstName": "***", "phone": "***", "tags": "***",
    }  # fmt: skip


@pytest.mark.parametrize("key", ["userId", "sessionId", "_vtsid", "email"])
def test_identities_are_masked_wherever_they_stand(key):
    assert privacy.mask_event({"total": [{key: "known-to-nobody"}]}) == {"total": [{key: "know***"}]}
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


def test_of_an_event_of_a_type_that_no_class_has_what_was_bought_is_shown_and_nothing_else():
    event = {"type": "survey", "productId": "123", "price": None, "firstName": "Ana", "on": True, "about": {"price": 1}}
    hidden = {"firstName": "***", "on": "***", "about": "***"}
    assert privacy.mask_event(event) == {**event, **hidden}


def test_a_new_type_of_event_is_one_class_whose_fields_are_masked_unless_it_names_them():
    @dataclass(frozen=True, repr=False)
    class Review(BaseEvent):
        email: str
        text: str
        type: ClassVar[str] = "review"
        impersonal: ClassVar[frozenset[str]] = frozenset({"stars"})
        staff_name: ClassVar[str] = "product review"
        reference: ClassVar[str] = ""
        dedup_key: ClassVar[None] = None

        def body(self, identity):
            return {**naming(identity), "type": self.type, "text": self.text, "stars": 5, "rated": {"stars": 5}}

    event = Review(CANARY, "It fits my size 52")
    known: AnyEvent = event
    masked = privacy.mask_event(json.loads(payload(known, Identity(email=CANARY))))
    assert masked == {"email": "c***@***", "type": "review", "text": "***", "stars": 5, "rated": "***"}
    assert repr(event) == "<Review: >"
    assert str(SendLogEntry(event_type="review", reference="7")) == "product review 7"
    assert event.ways(("vtsid", "email")) == ("vtsid", "email")


def test_of_two_classes_for_one_type_only_what_both_call_impersonal_is_shown():
    for keys in ({"stars", "shop"}, {"stars", "text"}, {"stars", "shop"}):
        type("Rating", (BaseEvent,), {"type": "rating", "impersonal": frozenset(keys)})
    assert impersonal_keys("rating") == {"stars"}


@pytest.mark.parametrize("written", [CANARY, CANARY.replace("@", "%40"), CANARY.replace("@", "\uff20")])
def test_an_address_is_masked_however_its_at_sign_is_written(written):
    assert privacy.mask_text(f"to {written} now") == "to c***@*** now"
    assert privacy.mask_identity(f"email:{written}") == "email:c***@***"
