"""Event classes of a shop's own, whose properties raise, or give what no column holds: the checkout goes on."""

from __future__ import annotations

from enum import Enum

import pytest
from django.db import transaction
from django.utils.functional import SimpleLazyObject

from django_vt import track
from django_vt.events import Event
from django_vt.models import SendLogEntry
from django_vt.models.send_log import Status
from django_vt.protocol.addresses import hash_of_address
from tests.projects.shop.models import Order
from tests.support.ordering import BUYER, PIXEL, place, visitor

pytestmark = pytest.mark.django_db


class OfTheShop:
    """As `AnyEvent` asks for, but for what a test changes."""

    def __init__(self, **changes):
        members = {"type": "wishlist", "email": "", "reference": "7", "dedup_key": None}
        self.__dict__.update({**members, **changes})

    def body(self, identity):
        return {"userId": identity.user_id, "type": self.type, "email": [{"to": (self.email,)}]}


class Raising(OfTheShop):
    """An order whose buyer was deleted, say."""

    raises: frozenset[str] = frozenset()

    def __getattribute__(self, name):
        if name in object.__getattribute__(self, "raises"):
            raise LookupError(BUYER)
        return super().__getattribute__(name)


@pytest.mark.parametrize("raises", [{"type"}, {"reference"}, {"type", "reference"}, {"dedup_key"}, {"email"}])
def test_a_property_that_raises_does_not_reach_the_shopper(raises, caplog):
    event = Raising()
    event.raises = frozenset(raises)
    with transaction.atomic():
        Order.objects.create(number="1", total=1)
        track(event, identity=PIXEL)
    assert Order.objects.exists()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert BUYER not in caplog.text


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("reference", None), ("reference", 7), ("reference", "7" * 256), ("reference", "7\0"), ("reference", "\ud800"),
        ("dedup_key", ""), ("dedup_key", 7), ("dedup_key", "\ud800"),
    ],
)  # fmt: skip
def test_what_no_column_holds_is_skipped_with_the_name_of_the_member(member, value, caplog):
    """Refused by the database it would be lost; and PostgreSQL writes a refused row, address and all, into its log."""
    entry = track(OfTheShop(email=BUYER, **{member: value}), identity=PIXEL)
    assert (entry.status, entry.reason, entry.payload) == (Status.SKIPPED, f"invalid: {member}", "")
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert BUYER not in caplog.text


@pytest.mark.parametrize("event_type", ["wish list", "a/b", "a?b", "w" * 65, None])
def test_a_type_that_cannot_stand_in_the_vendors_address_is_told_in_the_log_and_not_recorded(event_type, caplog):
    assert track(OfTheShop(type=event_type), identity=PIXEL) is None
    assert not SendLogEntry.objects.exists()
    assert len(caplog.messages) == 1


class Kind(str, Enum):
    """What `str()` says of a member is "Kind.QUOTE"."""

    QUOTE = "quote"
    NUMBER = "Q-1"


@pytest.mark.parametrize("wrapped", [lambda value: value, lambda value: SimpleLazyObject(lambda: value)])
def test_members_of_enums_and_lazy_texts_are_stored_as_what_they_hold(wrapped):
    event = OfTheShop(type=wrapped(Kind.QUOTE), reference=wrapped(Kind.NUMBER), dedup_key=wrapped(Kind.NUMBER))
    event.body = lambda identity: {"type": "quote"}
    track(event, identity=PIXEL)
    same = OfTheShop(type="quote", reference="Q-1", dedup_key="Q-1")
    assert track(same, identity=PIXEL) == SendLogEntry.objects.get(event_type="quote", reference="Q-1")


def test_an_address_is_found_wherever_json_can_hold_it():
    event = OfTheShop()
    event.body = lambda identity: {"type": "wishlist", "to": ({"address": BUYER},)}
    assert track(event, identity=PIXEL).email_hash == hash_of_address(BUYER)


def test_an_event_that_no_request_could_carry_costs_the_order_nothing(caplog):
    """MariaDB takes no statement above max_allowed_packet and hangs up, with the order in its transaction."""
    with transaction.atomic():
        Order.objects.create(number="1", total=1)
        entry = place(request=visitor(), extra={"note": "x" * 1_000_000})
    assert (entry.status, entry.reason, entry.reference) == (Status.SKIPPED, "invalid: payload", "100023")
    assert Order.objects.exists()
    assert track(Event("wishlist", {"note": "x" * 900_000}), identity=PIXEL).status == Status.PENDING
