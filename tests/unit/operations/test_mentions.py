"""Whatever of a person can get in can be found and forgotten."""

from __future__ import annotations

import time
from hashlib import sha256
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from django_vt import track
from django_vt.events import Event, Login
from django_vt.identity import Identity
from django_vt.operations import forgetting
from django_vt.operations.mentions import Mentions
from tests.support.delivering import one
from tests.support.dump import dump
from tests.support.forgettable import PIXEL, SESSION, USER, is_forgotten
from tests.support.ordering import confirmation
from tests.support.people import url
from tests.unit.management.commands.conftest import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_is_sent_by_itself")]

ADDRESS = "ana.canary@example.com"
WRITTEN = [
    "please write to ana.canary@example.com, thank you",
    "Ana <ana.canary@example.com>",
    "mailto:ana.canary@example.com?subject=Hello",
    "  ana.canary@example.com ",
    "ana.canary @ example.com",
    "ANA.CANARY@EXAMPLE.COM",
    "ana.canary@example.com.",
    "'ana.canary@example.com'",
    "ana.canary%40example.com",
    "ana.canary%2540example.com",
    "ana.canary\uff20example.com",
    "ana.canary@example.com\u200b",
    "other@example.com, ana.canary@example.com",
    "https://shop.example.com/unsubscribe?for=ana.canary%40example.com",
    sha256(ADDRESS.encode()).hexdigest(),
]
OTHERS = [
    "ana.canary@example.com.ro",
    "joana.canary@example.com",
    "o'ana.canary@example.com",
    "x+ana.canary@example.com",
    "ana.canary@example.community",
    "ana.canary",
    "example.com",
]


@pytest.mark.parametrize("written", WRITTEN)
def test_an_address_is_found_wherever_it_stands_in_an_event(written):
    somebody = Identity(vtsid="somebody")
    entries = [
        track(Event("note", {"text": written}), identity=somebody),
        track(Event("note", {"deep": [{"er": [written, None]}]}), identity=somebody),
        track(Event("note", {written.strip(): True}), identity=somebody),
        track(confirmation(order_id="7", email="other@example.com", extra={"note": written}), identity=somebody),
        track(Event("note", reference=written.strip()), identity=somebody),
    ]
    run("forget_shopper", ADDRESS)
    assert all(map(is_forgotten, entries))
    assert "canary" not in dump().lower()


@pytest.mark.parametrize("written", OTHERS)
def test_what_only_looks_alike_is_another_s(written):
    entry = track(Event("note", {"text": written}), identity=Identity(vtsid="somebody"))
    run("forget_shopper", ADDRESS)
    assert not is_forgotten(entry)


@pytest.mark.parametrize("given", ["Ana <ana.canary@example.com>", "mailto:ANA.canary@example.com", f" {ADDRESS}. "])
def test_the_address_may_be_given_in_any_spelling(given):
    entry = track(Event("note", {"text": ADDRESS}), identity=PIXEL)
    run("forget_shopper", given)
    assert is_forgotten(entry)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("jos\u00e9@example.com", "jose\u0301@example.com"),
        ("jose\u0301@example.com", "JOS\u00c9@example.com"),
        ("ana@b\u00fccher.example", "ana@xn--bcher-kva.example"),
        ("ana@xn--bcher-kva.example", "Ana@B\u00fccher.example"),
        ("ana@" + "\u00fc" * 64 + ".example", "Ana@" + "\u00dc" * 64 + ".example"),  # no such name can be looked up
    ],
)
def test_two_spellings_of_an_address_are_one_person(given, written):
    entries = [
        track(Login(written, "website")),
        track(Event("note", {"to": f"for {written}"}), identity=PIXEL),
        track(confirmation(email=written), identity=PIXEL),
    ]
    run("forget_shopper", given)
    assert all(map(is_forgotten, entries))


@pytest.mark.parametrize("name", ["ana", f"{'a' * 70}@example.com", "\u0430\u043d\u043d\u0430@example.com"])
def test_what_was_recorded_as_an_address_and_is_none_can_be_forgotten(name):
    entry, order_of_that_number = track(Login(name, "website")), track(confirmation(order_id="ana"), identity=PIXEL)
    run("forget_shopper", name)
    assert is_forgotten(entry)
    assert not is_forgotten(order_of_that_number)


def test_the_visitor_beside_a_mention_is_theirs_but_not_where_it_is_anothers_order():
    beside = track(Event("note", {"text": f"from {ADDRESS}"}), identity=Identity(vtsid="hers"))
    one(identity="vtsid:theirs", email_hash="0" * 64, payload=f'{{"gift_for":"{ADDRESS}"}}')
    hers, theirs = (track(Event("cart"), identity=Identity(vtsid=each)) for each in ("hers", "theirs"))
    # The column holds an address's hash only where the whole text is one.
    type(beside).objects.filter(pk=beside.pk).update(email_hash="")
    run("forget_shopper", ADDRESS)
    assert is_forgotten(hers)
    assert not is_forgotten(theirs)


def test_the_history_of_the_admin_does_not_keep_an_id():
    staff = Client()
    staff.force_login(User.objects.create_superuser("anna"))
    entries = [track(Event("cart", reference=each), identity=PIXEL) for each in (f"cart-{SESSION}", "cart-7")]
    for entry in entries:
        staff.post(url("resend"), {"ids": str(entry.pk), "confirmed": "yes"})
    assert sorted(LogEntry.objects.values_list("object_repr", flat=True)) == ["cart", "cart cart-7"]
    # As an older version of this app, or of the shop's admin, may have called it.
    LogEntry.objects.filter(object_repr="cart").update(object_repr=f"cart cart-{SESSION}")
    run("forget_shopper", "--pixel", USER)
    assert sorted(LogEntry.objects.values_list("object_repr", flat=True)) == ["cart cart-7", "forgotten"]
    assert SESSION not in dump()


def test_a_project_without_the_admin_is_served_too(settings):
    settings.INSTALLED_APPS = [each for each in settings.INSTALLED_APPS if each != "django.contrib.admin"]
    entry = track(Login(ADDRESS, "website"))
    run("forget_shopper", ADDRESS)
    assert is_forgotten(entry)


def test_many_mentions_are_forgotten_in_parts_and_counted_once(monkeypatch):
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    payload = f'{{"note":"to {ADDRESS}"}}'
    for _ in range(5):
        one(payload=payload)
    track(Login(ADDRESS, "website"))
    assert run("forget_shopper", ADDRESS).startswith("Forgot 6 entries (6 pending")
    assert ADDRESS not in dump()


def test_what_is_not_found_is_not_said_to_be_nowhere():
    by_address, by_id = run("forget_shopper", ADDRESS), run("forget_shopper", "--vtsid", "nobody-is-this")
    assert by_address.startswith("Found nothing to forget. Searched for the address, in its usual spellings: ")
    assert by_id.startswith("Found nothing to forget. Searched for the id: ")


def test_the_address_may_come_by_standard_input(monkeypatch):
    entry = track(Login(ADDRESS, "website"))
    monkeypatch.setattr("sys.stdin", StringIO(f"{ADDRESS}\n"))
    run("forget_shopper", "-")
    assert is_forgotten(entry)


@pytest.mark.parametrize(
    "hostile", ["@" * 10**6, "a@" * 500_000, " " * 10**6 + "@", "%40" * 300_000, "ana.canary" * 10**5]
)
def test_what_a_shopper_wrote_takes_no_longer_than_it_is_long(hostile):
    mentions, begun = Mentions(ADDRESS), time.monotonic()
    assert not mentions.are_in(hostile)
    assert time.monotonic() - begun < 5
