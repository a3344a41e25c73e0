"""Events become the vendor's JSON byte for byte, or are refused by the name of the field."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import pickle
from decimal import Decimal
from typing import ClassVar

import pytest
from django.utils.functional import SimpleLazyObject, lazystr
from hypothesis import given
from hypothesis import strategies as st

from django_vt.events import Confirmation, Event, Item, Login, address_in, addresses_in, payload
from django_vt.exceptions import InvalidField
from django_vt.identity import Identity
from tests.support.ordering import PIXEL, confirmation
from tests.support.recorded import RECORDED

PEOPLE = [PIXEL, Identity(vtsid="site-1"), Identity(email="a@example.com"), Identity()]
WAYS = [{"userId", "sessionId"}, {"_vtsid"}, {"email"}, set()]
IDENTITY_KEYS = {"userId", "sessionId", "_vtsid", "email"}


def recorded(name):
    return RECORDED[name]["query"]["data"]


def test_the_vendors_confirmation_comes_out_byte_for_byte():
    event = Confirmation(
        "order_id_example", Decimal("234.12"), [Item("123123-M", 2), Item("23423-XL", 1)], "shopper@example.com"
    )
    assert f"[{payload(event, Identity('0111', '013123'))}]" == recorded("confirmation")


def test_the_vendors_login_comes_out_byte_for_byte():
    event = Login("shopper@example.com", "source_type")
    assert f"[{payload(event, Identity(email='shopper@example.com'))}]" == recorded("login")


@pytest.mark.parametrize(("identity", "keys"), list(zip(PEOPLE, map(sorted, WAYS), strict=True)), ids=str)
@pytest.mark.parametrize(
    "event", [confirmation(email="buyer@example.com"), Login("a@example.com", "shop"), Event("wishlist", {"id": "1"})]
)
def test_an_event_carries_exactly_its_identity_at_the_top(event, identity, keys):
    assert set(json.loads(payload(event, identity))) & IDENTITY_KEYS == set(keys)


@pytest.mark.parametrize(
    ("event", "identity", "text"),
    [
        (Event("wishlist", {"productId": "123", "a": 1}), PIXEL,
         '{"userId":"8139618027113397","sessionId":"253412802711339765","type":"wishlist","productId":"123","a":1}'),
        (Event("search"), Identity(vtsid="x"), '{"_vtsid":"x","type":"search"}'),
        (Login("", "shop", {"vip": True}), Identity(vtsid="x"),
         '{"_vtsid":"x","type":"login","source":"shop","vip":true}'),
        (Confirmation(7, 0, []), Identity(email="a@b"),
         '{"email":"a@b","type":"confirmation","items":[],"generic":{"orderId":"7","total":0}}'),
        (Confirmation("é", "100.10", [("🎁", 1.0)], extra={"coupon": "x"}), Identity(vtsid="x"),
         ('{"_vtsid":"x","type":"confirmation","items":[{"id":"\\ud83c\\udf81","quantity":1}],'
          '"generic":{"orderId":"\\u00e9","total":100.1,"coupon":"x"}}')),
    ],
)  # fmt: skip
def test_a_payload_is_compact_ascii_with_the_keys_in_their_order(event, identity, text):
    assert payload(event, identity) == text


@pytest.mark.parametrize(
    "items",
    [
        [Item("a", 2), Item("b", Decimal("0.5"))],
        [("a", 2), ["b", 0.5]],
        [{"id": "a", "quantity": 2, "price": 5}, {"quantity": Decimal("0.50"), "id": "b"}],
        (item for item in [("a", 2), ("b", 0.5)]),
    ],
)
def test_items_may_be_items_pairs_or_dicts(items):
    event = confirmation(items=items)
    assert event.body(PIXEL)["items"] == [{"id": "a", "quantity": 2}, {"id": "b", "quantity": 0.5}]


class Line(Item):
    """A shop's own, whose members look things up."""

    looked_up: ClassVar[list[str]] = []

    def __init__(self, **members):
        vars(self).update(members)

    def __getattribute__(self, name):
        if name in {"id", "quantity"}:
            Line.looked_up.append(name)
        return super().__getattribute__(name)


def test_an_item_of_the_shops_own_class_is_asked_at_once_and_never_again():
    Line.looked_up.clear()
    event = confirmation(items=[Line(id=5, quantity=Decimal("2.0"))])
    assert Line.looked_up == ["id", "quantity"]
    assert event.body(PIXEL)["items"] == [{"id": "5", "quantity": 2}]
    assert Line.looked_up == ["id", "quantity"]
    with pytest.raises(InvalidField, match=r"items\[0\]\.quantity"):
        confirmation(items=[Line(id=5, quantity="2")])


def test_lazy_values_count_as_what_they_hold_wherever_an_event_takes_one():
    lazy = SimpleLazyObject
    order = Confirmation(
        lazy(lambda: 7), lazy(lambda: 234.12), lazy(lambda: [lazy(lambda: Item("a", 1)), lazy(lambda: ("b", 2))]),
        lazy(lambda: "a@example.com"), lazy(lambda: {"x": lazy(lambda: 1)}),
    )  # fmt: skip
    assert order == Confirmation("7", "234.12", [("a", 1), ("b", 2)], "a@example.com", {"x": 1})
    event = Event(lazystr("wishlist"), lazy(dict), reference=lazy(lambda: "W-1"), dedup_key=lazy(lambda: None))
    assert event == Event("wishlist", reference="W-1")
    assert {type(event.type), type(event.reference), type(order.email)} == {str}
    assert Login(lazy(lambda: None), lazystr("shop")) == Login("", "shop")
    assert Identity(vtsid=lazystr("x"), email=lazy(lambda: "a@example.com")) == Identity(
        vtsid="x", email="a@example.com"
    )


def test_500_items_are_one_event():
    event = confirmation(items=[(f"sku-{number}", number + 1) for number in range(500)])
    assert len(json.loads(payload(event, PIXEL))["items"]) == 500


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"order_id": None}, "order_id"), ({"order_id": ""}, "order_id"), ({"order_id": "canary\0"}, "order_id"),
        ({"total": math.nan}, "total"), ({"total": "canary"}, "total"), ({"total": Decimal("Infinity")}, "total"),
        ({"total": math.inf}, "total"), ({"order_id": SimpleLazyObject(object)}, "order_id"),
        ({"email": "canary\0@example.com"}, "email"), ({"email": 5}, "email"),
        ({"extra": ["canary"]}, "extra"), ({"extra": {"total": "canary"}}, "extra.total"),
        ({"extra": {"orderId": 1}}, "extra.orderId"), ({"extra": {"email": "canary@example.com"}}, "extra.email"),
        ({"extra": {"a": [object()]}}, "extra.a[0]"),
        ({"items": None}, "items"), ({"items": "canary"}, "items"), ({"items": b"canary"}, "items"),
        ({"items": {"canary": 1}}, "items"), ({"items": 5}, "items"), ({"items": ["canary"]}, "items[0]"),
        ({"items": [("canary", 1), ("canary", 1, 2)]}, "items[1]"), ({"items": [None]}, "items[0]"),
        ({"items": [("canary", 0)]}, "items[0].quantity"), ({"items": [("canary\0🎁", 1)]}, "items[0].id"),
        ({"items": [{"id": "canary"}]}, "items[0].quantity"), ({"items": [{"quantity": 1}]}, "items[0].id"),
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_sent_is_refused_by_field_and_without_the_value(changes, field):
    with pytest.raises(ValueError, match=r"^[a-z]") as caught:
        confirmation(**changes)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("key", ["type", "source", *sorted(IDENTITY_KEYS)])
def test_attributes_of_a_login_cannot_set_what_the_app_sets(key):
    with pytest.raises(ValueError, match=f"^attributes.{key}: "):
        Login("a@example.com", "shop", {key: "canary"})


@pytest.mark.parametrize("key", ["type", *sorted(IDENTITY_KEYS)])
def test_data_of_an_event_cannot_set_what_the_app_sets(key):
    with pytest.raises(ValueError, match=f"^data.{key}: "):
        Event("wishlist", {key: "canary"})


@pytest.mark.parametrize("type_", ["", "a b", "a/b", "é", "٣", "a\n", "x" * 65, None, 5, b"a"])
def test_a_type_that_cannot_stand_in_a_path_is_refused(type_):
    with pytest.raises(ValueError, match=r"^type: must match"):
        Event(type_)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"reference": " "}, "reference"), ({"reference": None}, "reference"), ({"reference": "a\0"}, "reference"),
     ({"dedup_key": ""}, "dedup_key"), ({"dedup_key": "a" * 256}, "dedup_key"), ({"data": [1]}, "data")],
)  # fmt: skip
def test_an_event_that_cannot_be_stored_is_refused_by_field(changes, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        Event("wishlist", **changes)


@pytest.mark.parametrize("source", ["", None, "a\0"])
def test_a_login_needs_a_source(source):
    with pytest.raises(ValueError, match=r"^source: "):
        Login("a@example.com", source)


def test_what_is_changed_after_construction_is_not_in_the_event():
    extra, lines, data = {"a": [1]}, [["a", 1]], {"b": {"c": 1}}
    order, event = confirmation(items=lines, extra=extra), Event("wishlist", data)
    before = copy.deepcopy((order.body(PIXEL), event.body(PIXEL)))
    extra["a"].append(2)
    lines[0][1] = 99
    data["b"]["c"] = 2
    assert (order.body(PIXEL), event.body(PIXEL)) == before


@pytest.mark.parametrize("event", [confirmation(), Login("a@example.com", "shop"), Event("wishlist"), Item("a", 1)])
def test_events_cannot_be_changed(event):
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.type = "other"


@given(st.text(st.characters()))
def test_any_text_in_data_comes_through_json_unchanged_and_in_ascii(text):
    encoded = payload(Event("note", {"text": text}), PIXEL)
    assert encoded.isascii()
    assert "\0" not in encoded
    assert json.loads(encoded)["text"] == text


@pytest.mark.parametrize(
    ("event", "address"),
    [
        (confirmation(email="Buyer@Example.com"), "buyer@example.com"),
        (confirmation(), ""),
        (confirmation(extra={"contact": {"mail": ["x", "b@example.com", "c@example.com"]}}), "b@example.com"),
        (Event("signup", {"address": "a@example.com"}), "a@example.com"),
        (Event("note", {"text": "write to a@example.com", "n": 1}), "a@example.com"),
        (Event("note", {"a@example.com": 1}), "a@example.com"),
        (Event("note", {"text": "nobody"}), ""),
        (Login("a@example.com", "shop"), "a@example.com"),
        (Event("newsletter", {"n": 1}, reference="a@example.com"), "a@example.com"),
    ],
)
def test_the_first_address_anywhere_in_the_event_is_found(event, address):
    assert address_in(event) == address


def test_every_address_of_an_event_is_found_its_own_first_and_each_once():
    event = confirmation(
        email="Jo <Jo@Example.com>",
        extra={"note": "for jo@example.com, or (gift@example.com)", "by mailto:ana@example.com": ["x"]},
    )
    assert addresses_in(event) == ("jo@example.com", "gift@example.com", "ana@example.com")
    assert addresses_in(Event("x", reference="a@example.com")) == ("a@example.com",)
    assert addresses_in(Event("x")) == ()


def test_the_repr_of_an_event_holds_nothing_of_a_person():
    events = [
        confirmation(email="canary@example.com", items=[("canary", 1)], extra={"a": "canary"}),
        Login("canary@example.com", "shop", {"a": "canary"}),
        Event("wishlist", {"a": "canary"}, reference="canary@example.com", dedup_key="canary@example.com"),
    ]
    assert "canary" not in repr(events)
    assert repr(events[0]) == str(events[0]) == "<Confirmation: 100023>"
    assert repr(events[1:]) == "[<Login: shop>, <Event: wishlist>]"
    assert repr([Event("wishlist", reference="W-1"), Item("sku", 1)]) == "[<Event: wishlist W-1>, <Item: sku>]"


def test_the_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(InvalidField("items[0].id", "must not be empty")))
    assert (error.field, error.problem, str(error)) == (
        "items[0].id",
        "must not be empty",
        "items[0].id: must not be empty",
    )
