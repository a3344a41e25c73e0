"""A shopper whom the tests of `forget_shopper` forget, and all that they leave behind."""

from __future__ import annotations

import pytest

from django_vt import remember_identity, track
from django_vt.events import Event, Login
from django_vt.identity import Identity
from django_vt.models import SendAttempt, SendLogEntry
from django_vt.protocol.addresses import hash_of_address
from tests.support.delivering import configure, stored
from tests.support.ordering import confirmation, request_with

ADDRESS = "Canary.Bird@Example.com"
USER, SESSION, VTSID = "8139618027113397", "253412802711339765", "canary-visitor_7"
ELSEWHERE = "77777777"  # another session of the same visitor
PIXEL = Identity(user_id=USER, session_id=SESSION)
OTHERS = Identity(user_id="5550000000000001", session_id="5550000000000002")
TRACES = ["canary", "bird@", USER, SESSION, ELSEWHERE, hash_of_address(ADDRESS)]


@pytest.fixture
def nothing_is_sent_by_itself(settings):
    configure(settings, DISPATCHER="django_vt.dispatchers.manual.ManualDispatcher")


def shopper_s_request(**cookies):
    return request_with(_vt_user=f"{USER}_{SESSION}_false_false", **cookies)


def order(number, status="pending", **columns):
    """An order of the shopper's by pixel that holds the address, in this status."""
    entry = track(confirmation(order_id=number, email=ADDRESS), identity=PIXEL)
    due_at = entry.due_at if status == "pending" else None
    SendLogEntry.objects.filter(pk=entry.pk).update(**stored({"status": status, "due_at": due_at, **columns}))
    return SendLogEntry.objects.get(pk=entry.pk)


def after(entry):
    return SendLogEntry.objects.get(pk=entry.pk)


def personal(entry):
    entry = after(entry)
    return entry.payload, entry.identity, entry.email_hash


def is_forgotten(entry):
    return personal(entry) == ("", "", "")


def traces_in(text):
    return [trace for trace in TRACES if trace in text.lower()]


@pytest.fixture
def life(clock):
    """All that a shopper can leave behind: entries in every status, by every way, and a remembered identity."""
    in_hands = {"claim": "a" * 32, "due_at": clock.ms + 100_000}
    entries = {
        "pending": order("1"),
        "in a worker's hands": order("2", **in_hands),
        "sent": order("3", "sent", sent_at=clock.now, response_status=200),
        "failed": order("4", "failed", due_at=None, attempts=8, reason="answered: 500"),
        "skipped": order("5", "skipped", reason="expired"),
        "by address": track(Login(ADDRESS.lower(), "website", {"name": "Canary"})),
        "by another session": track(Event("wishlist"), identity=Identity(user_id=USER, session_id=ELSEWHERE)),
        "by the site's id": track(Event("wishlist"), identity=Identity(vtsid=VTSID)),
        "named after the address": track(Event("newsletter", reference=ADDRESS.upper()), identity=PIXEL),
        "named after an id": track(Event("cart", reference=f"cart-{SESSION}"), identity=PIXEL),
        "another's": track(confirmation(order_id="9", email="other@example.com"), identity=OTHERS),
    }
    for name in ("in a worker's hands", "failed"):
        SendAttempt.objects.create(entry=entries[name], at=clock.now, response_status=500, reason="answered: 500")
    remember_identity(shopper_s_request(_vtsid=VTSID), "7")
    remember_identity(request_with(_vtsid="another-visitor"), "8")
    return entries
