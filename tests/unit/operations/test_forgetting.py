"""Which entries and remembered identities are a shopper's, and which another's."""

from __future__ import annotations

import json

import pytest

from django_vt import remember_identity, track
from django_vt.events import Event, Login
from django_vt.identity import Identity
from django_vt.models import RememberedIdentity
from django_vt.operations import forgetting
from django_vt.operations.forgetting import Forgetting
from django_vt.protocol.addresses import hash_of_address
from tests.support.delivering import configure, one
from tests.support.dump import dump
from tests.support.forgettable import (
    ADDRESS,
    ELSEWHERE,
    PIXEL,
    SESSION,
    USER,
    VTSID,
    after,
    is_forgotten,
    order,
    shopper_s_request,
    traces_in,
)
from tests.support.ordering import confirmation, request_with
from tests.unit.management.commands.conftest import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_is_sent_by_itself")]

# Whose is whose


@pytest.mark.parametrize("typed", ["canary.bird@example.com", " CANARY.BIRD@EXAMPLE.COM "])
def test_the_case_of_the_address_does_not_matter(typed):
    entries = [order("1"), track(Login(ADDRESS, "website"))]
    run("forget_shopper", typed)
    assert all(map(is_forgotten, entries))


def test_an_entry_attributed_to_the_address_that_holds_another_is_found_by_its_identity():
    entry = one(identity=f"email:{ADDRESS.lower()}", email_hash=hash_of_address("gift@example.com"))
    run("forget_shopper", ADDRESS)
    assert is_forgotten(entry)


def test_an_entry_that_only_its_reference_names_is_found():
    entry = one(identity="", reference=ADDRESS, status="skipped", due_at=None, payload="", reason="invalid: total")
    run("forget_shopper", ADDRESS)
    assert after(entry).reference == ""


def test_what_the_same_visitor_did_for_another_address_is_left_and_said():
    """A family's browser, or that of staff who order for many by telephone."""
    mine, theirs = order("1"), track(confirmation(order_id="2", email="other@example.com"), identity=PIXEL)
    said = run("forget_shopper", ADDRESS)
    assert "Left are 1 entry of the same visitors that hold another address" in said
    assert is_forgotten(mine)
    assert after(theirs).status == "pending"
    assert after(theirs).identity == PIXEL.stored_form


def test_a_visitor_who_is_named_is_forgotten_whatever_address_they_gave():
    entries = [order("1"), track(confirmation(order_id="2", email="other@example.com"), identity=PIXEL)]
    by_address = track(Login(ADDRESS, "website"))
    said = run("forget_shopper", "--pixel", USER)
    assert "Of these, 2 held an e-mail address: forget that, too" in said
    assert all(map(is_forgotten, entries))
    assert not is_forgotten(by_address)


@pytest.mark.parametrize("given", [USER, f"{USER}_{SESSION}", f"{USER}_{SESSION}_false_false"])
def test_a_pixel_id_means_all_of_the_visitors_sessions_and_nobody_elses(given):
    mine = [track(Event("cart"), identity=Identity(user_id=USER, session_id=each)) for each in (SESSION, "Zz", "-")]
    others = [
        track(Event("cart"), identity=Identity(user_id=f"{USER}{more}", session_id=SESSION)) for more in ("1", "-", "Z")
    ]
    run("forget_shopper", "--pixel", given)
    assert all(map(is_forgotten, mine))
    assert not any(map(is_forgotten, others))


@pytest.mark.parametrize(
    ("option", "mine", "other"),
    [
        ("--pixel", Identity(user_id="abcDEF", session_id="1"), Identity(user_id="abcdef", session_id="1")),
        ("--vtsid", Identity(vtsid="abcDEF"), Identity(vtsid="abcdef")),
    ],
)
def test_ids_that_differ_in_case_are_two_visitors(option, mine, other):
    entries = [track(Event("cart"), identity=identity) for identity in (mine, other)]
    run("forget_shopper", option, "abcDEF")
    assert [is_forgotten(entry) for entry in entries] == [True, False]


def test_addresses_that_differ_in_an_accent_are_two_people():
    mine, other = track(Login("jose@example.com", "website")), track(Login("jos\u00e9@example.com", "website"))
    run("forget_shopper", "jose@example.com")
    assert [is_forgotten(entry) for entry in (mine, other)] == [True, False]


def test_what_a_remembered_identity_links_is_one_visitor():
    by_site = track(Event("cart"), identity=Identity(vtsid=VTSID))
    remember_identity(shopper_s_request(_vtsid=VTSID), "7")
    run("forget_shopper", "--pixel", USER)
    assert is_forgotten(by_site)


def test_the_remembered_identity_of_an_order_of_theirs_is_found_by_the_order(settings):
    one(reference="7", email_hash=hash_of_address(ADDRESS), identity="")
    remember_identity(shopper_s_request(), "7")
    cart = track(Event("cart"), identity=PIXEL)
    run("forget_shopper", ADDRESS)
    assert not RememberedIdentity.objects.exists()
    assert is_forgotten(cart)


def test_the_remembered_identity_of_an_order_under_another_account_is_found_too(settings):
    remember_identity(shopper_s_request(), "7")
    configure(settings, ACCOUNT_ID="acc456")
    one(account_id="acc123", reference="7", email_hash=hash_of_address(ADDRESS))
    run("forget_shopper", ADDRESS)
    assert not RememberedIdentity.objects.exists()


def test_a_remembered_address_is_found(monkeypatch):
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    request = request_with()
    for number, email in enumerate(["other@example.com"] * 3 + [ADDRESS] + ["other@example.com"] * 2):
        request.vt_identity = Identity(email=email)
        remember_identity(request, number)
    assert "and 1 remembered identity" in run("forget_shopper", ADDRESS.lower())
    left = [json.loads(row.identity)["email"] for row in RememberedIdentity.objects.all()]
    assert left == ["other@example.com"] * 5


def test_a_reference_that_holds_an_id_only_as_a_part_of_a_word_stays():
    short = Identity(user_id="1", session_id="2")
    entry, named = (
        track(confirmation(order_id="100023"), identity=short),
        track(Event("x", reference="v-1"), identity=short),
    )
    run("forget_shopper", "--pixel", "1")
    assert (after(entry).reference, after(named).reference) == ("100023", "")


@pytest.mark.parametrize("step", range(1, 7))
def test_who_is_interrupted_finds_the_rest_again(step, monkeypatch):
    """What leads to other entries goes after them."""
    order("1")
    track(Event("cart"), identity=PIXEL)
    track(Event("cart", reference="8"), identity=Identity(vtsid=VTSID))
    remember_identity(shopper_s_request(_vtsid=VTSID), "7")
    remember_identity(request_with(_vt_user=f"7_{ELSEWHERE}"), "8")
    track(Event("cart"), identity=Identity(user_id="7", session_id=ELSEWHERE))
    honest, steps = {name: getattr(Forgetting, name) for name in ("_forget", "_forget_remembered")}, []

    def interrupt(name):
        def change(self, rows):
            if len(steps) == step:
                raise KeyboardInterrupt
            steps.append(name)
            return honest[name](self, rows)

        return change

    with monkeypatch.context() as patch:
        for name in honest:
            patch.setattr(Forgetting, name, interrupt(name))
        with pytest.raises(KeyboardInterrupt):
            run("forget_shopper", ADDRESS)
    run("forget_shopper", ADDRESS)
    assert traces_in(dump()) == []
