"""Exactly one identity an event, from the first source that has it in the order of IDENTIFY_BY."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from django_vt import remember_identity, track
from django_vt.events import Event, Login
from django_vt.identity import Identity
from django_vt.models import RememberedIdentity, SendLogEntry
from django_vt.recording import attribution
from django_vt.recording.attribution import address_of, key_of
from django_vt.visitors import serving
from tests.support.ordering import PIXEL, PIXEL_COOKIE, confirmation, request_with, visitor

pytestmark = pytest.mark.django_db

EVERYTHING = Identity("1", "2", "site-1", "saved@example.com")
WAYS = ("pixel", "vtsid", "email")
IDENTITY_KEYS = {"userId", "sessionId", "_vtsid", "email"}


@pytest.fixture
def identify_by(settings):
    def set_ways(*ways):
        settings.DJANGO_VT = {**settings.DJANGO_VT, "IDENTIFY_BY": ways}

    return set_ways


def remember(reference, known):
    RememberedIdentity.objects.create(
        key=key_of(reference), identity=json.dumps(known.to_dict()), created_at=timezone.now()
    )


def with_user(request, user, asked=None):
    def ask():
        (asked if asked is not None else []).append(user)
        return user

    request.user = SimpleLazyObject(ask)
    return request


@pytest.mark.parametrize("order", list(itertools.permutations(WAYS)), ids=" ".join)
def test_the_first_of_the_ways_that_is_known_is_the_one(identify_by, order):
    identify_by(*order)
    assert track(Event("wishlist"), identity=EVERYTHING).identity == EVERYTHING.only(order[0]).stored_form


@pytest.mark.parametrize("left_out", WAYS)
def test_a_way_that_is_left_out_is_never_taken(identify_by, left_out):
    identify_by(*(way for way in WAYS if way != left_out))
    assert track(confirmation(email="buyer@example.com"), identity=EVERYTHING.only(left_out)).identity in {
        "", "email:buyer@example.com" if left_out != "email" else "",
    }  # fmt: skip


def test_the_sources_are_asked_in_their_order():
    request = with_user(request_with(_vt_user="3_4", _vtsid="cookie"), User(email="user@example.com"))
    remember("100023", Identity("5", "6", "remembered", "remembered@example.com"))
    order = confirmation(email="event@example.com")
    sources = [
        ({"request": request, "identity": Identity("1", "2")}, order, "pixel:1_2"),
        ({"request": request}, order, "pixel:3_4"),
        ({"request": request_with(_vtsid="cookie")}, order, "pixel:5_6"),
    ]
    for given_sources, event, stored in sources:
        whose = attribution.identify(event, given_sources.get("request"), given_sources.get("identity"), "default")
        assert whose.identity.stored_form == stored


def test_the_events_own_address_comes_before_the_logged_in_users():
    request = with_user(request_with(), User(email="user@example.com"))
    assert track(confirmation(email="event@example.com"), request=request).identity == "email:event@example.com"
    assert track(Event("wishlist"), request=request).identity == "email:user@example.com"


@given(st.lists(st.sampled_from([None, *WAYS, "all"]), min_size=4, max_size=4), st.permutations(WAYS), st.booleans())
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_event_has_exactly_one_identity_wherever_it_comes_from(identify_by, has, ways, login):
    def known(way, number):
        full = Identity(f"{number}", f"{number}{number}", f"site-{number}", f"{number}@example.com")
        return full if way == "all" else full.only(way) if way else Identity()

    identify_by(*ways)
    SendLogEntry.objects.all().delete()
    RememberedIdentity.objects.all().delete()
    request = with_user(request_with(), User(email=known(has[3], 4).email))
    request.vt_identity = known(has[0], 1)
    remember("100023", known(has[2], 3))
    event = Login(known(has[3], 5).email, "website") if login else confirmation(email=known(has[3], 5).email)
    entry = track(event, request=request, identity=known(has[1], 2))
    keys = set(entry.event) & IDENTITY_KEYS
    assert keys in [{"userId", "sessionId"}, {"_vtsid"}, {"email"}, set()]
    assert bool(keys) == bool(entry.identity) == (entry.status == "pending")
    if "userId" in keys:
        assert entry.event["sessionId"] == entry.event["userId"] * 2


def test_a_login_goes_by_its_address_where_it_has_one(identify_by):
    assert track(Login("a@example.com", "website"), request=visitor()).event == {
        "type": "login", "email": "a@example.com", "source": "website",
    }  # fmt: skip
    assert track(Login("", "website"), request=visitor()).identity == PIXEL.stored_form
    identify_by("pixel", "vtsid")
    assert "email" not in track(Login("a@example.com", "website"), request=visitor()).event


def test_the_request_being_served_is_no_source():
    token = serving.start_serving(visitor())
    try:
        assert track(confirmation()).reason == "nobody"
    finally:
        serving.stop_serving(token)


@pytest.mark.parametrize("cookies", [{"_vt_user": PIXEL_COOKIE}, {"_vtsid": "site-1"}])
def test_the_user_is_not_asked_for_where_the_visitor_is_known(cookies):
    asked = []
    track(confirmation(), request=with_user(request_with(**cookies), User(email="a@example.com"), asked))
    track(Event("x"), request=with_user(request_with(), User(email="a@example.com"), asked), identity=PIXEL)
    track(confirmation(order_id="2", email="a@example.com"), request=with_user(request_with(), User(), asked))
    assert asked == []


def test_the_user_is_asked_for_once_and_last():
    asked = []
    with CaptureQueriesContext(connection) as queries:
        request = with_user(request_with(), User(email="a@example.com"), asked)
        assert track(confirmation(), request=request).identity == "email:a@example.com"
    assert len(asked) == 1
    assert sum("rememberedidentity" in query["sql"] for query in queries) == 1


def test_a_known_visitor_costs_no_look_into_what_was_remembered():
    with CaptureQueriesContext(connection) as queries:
        track(confirmation(), request=visitor())
    assert not any("rememberedidentity" in query["sql"] for query in queries)


def test_a_remembered_identity_is_used_once_and_then_forgotten():
    remember("100023", PIXEL)
    remember("another", PIXEL)
    assert track(confirmation(email="event@example.com")).identity == PIXEL.stored_form
    assert [row.key for row in RememberedIdentity.objects.all()] == [key_of("another")]


def test_a_remembered_identity_that_was_not_needed_stays():
    remember("100023", PIXEL)
    track(confirmation(), request=visitor())
    assert RememberedIdentity.objects.count() == 1


def test_only_an_order_has_a_remembered_identity():
    remember("100023", PIXEL)
    assert track(Event("wishlist", reference="100023")).reason == "nobody"


def test_the_key_of_what_is_remembered_does_not_tell_the_order():
    key = key_of("100023")
    assert "100023" not in key
    assert len(key) == 64


SHOPS = {"one.ro": "acc-ro", "one.bg": "acc-bg"}


def at(host, **cookies):
    """A visitor's request to a host."""
    request = request_with(**cookies)
    request.META["HTTP_HOST"] = host
    return request


@pytest.fixture
def shops(settings):
    """Two shops with an account each."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ACCOUNT_ID": SHOPS}


def remembered():
    return {(row.account_id, row.identity) for row in RememberedIdentity.objects.all()}


def test_an_order_paid_later_goes_to_the_shop_it_was_placed_in(shops):
    remember_identity(at("one.bg", _vt_user="1_2"), "100023")
    entry = track(confirmation())
    assert (entry.account_id, entry.identity, entry.status) == ("acc-bg", "pixel:1_2", "pending")
    assert remembered() == {("acc-bg", "{}")}


def test_the_providers_second_call_is_of_the_same_order_though_whose_it_is_was_forgotten(shops):
    remember_identity(at("one.bg", _vt_user="1_2"), "100023")
    first, second = track(confirmation()), track(confirmation(email="buyer@example.com"))
    assert (second.pk, second.identity) == (first.pk, "pixel:1_2")


def test_it_does_so_though_its_identity_is_given(shops):
    remember_identity(at("one.bg", _vt_user="1_2"), "100023")
    assert track(confirmation(), identity=PIXEL).account_id == "acc-bg"


def test_orders_of_one_number_in_two_shops_are_two(shops):
    remember_identity(at("one.ro", _vt_user="1_2"), "100023")
    remember_identity(at("one.bg", _vt_user="3_4"), "100023")
    remember_identity(at("one.bg", _vt_user="5_6"), "100023")
    in_bg, in_ro = track(confirmation(), account_id="acc-bg"), track(confirmation(), request=at("one.ro"))
    assert (in_bg.account_id, in_bg.identity) == ("acc-bg", "pixel:5_6")
    assert (in_ro.account_id, in_ro.identity) == ("acc-ro", "pixel:1_2")
    assert remembered() == {("acc-ro", "{}"), ("acc-bg", "{}")}


def test_of_two_orders_of_one_number_nobody_is_taken_for_the_other(shops):
    remember_identity(at("one.ro", _vt_user="1_2"), "100023")
    remember_identity(at("one.bg", _vt_user="3_4"), "100023")
    entry = track(confirmation(email="buyer@example.com"))
    assert (entry.account_id, entry.status, entry.reason) == ("", "skipped", "invalid: ACCOUNT_ID")
    assert entry.identity == "email:buyer@example.com"
    assert len(remembered()) == 2


def test_the_account_may_be_given_where_an_order_is_remembered(shops):
    remember_identity(at("pay.example", _vt_user="1_2"), "100023", account_id="acc-ro")
    assert track(confirmation()).account_id == "acc-ro"


def test_the_account_is_remembered_of_a_buyer_whom_no_cookie_names(shops):
    remember_identity(at("one.bg"), "100023")
    entry = track(confirmation(email="buyer@example.com"))
    assert (entry.account_id, entry.identity, entry.status) == ("acc-bg", "email:buyer@example.com", "pending")
    assert remembered() == {("acc-bg", "{}")}


def test_who_the_buyer_is_stays_remembered_though_a_later_page_does_not_know(shops):
    remember_identity(at("one.bg", _vt_user="1_2"), "100023")
    remember_identity(at("one.bg"), "100023")
    assert track(confirmation()).identity == "pixel:1_2"


def test_of_one_shop_nothing_is_remembered_of_a_buyer_whom_no_cookie_names(settings):
    settings.ALLOWED_HOSTS = ["*"]
    remember_identity(at("one.bg"), "100023")
    assert remembered() == set()


def test_what_was_remembered_without_an_account_serves_any(shops):
    remember_identity(at("pay.example", _vt_user="1_2"), "100023")
    assert track(confirmation(), account_id="acc-ro").identity == "pixel:1_2"
    assert remembered() == set()


class WithOtherField:
    is_authenticated = True
    contact = " user@example.com "

    @classmethod
    def get_email_field_name(cls):
        return "contact"


@pytest.mark.parametrize(
    ("user", "address"),
    [
        (User(email="user@example.com"), "user@example.com"),
        (User(), ""),
        (WithOtherField(), "user@example.com"),
        (SimpleNamespace(get_email_field_name=lambda: "email"), ""),
        (SimpleNamespace(get_email_field_name=lambda: "email", email=None), ""),
        (SimpleNamespace(email="user@example.com"), ""),
        (AnonymousUser(), ""),
    ],
)
def test_the_address_of_a_user_of_any_model(user, address):
    assert address_of(user) == address


@pytest.mark.parametrize(
    "user",
    [AnonymousUser(), User(), User(email="a\0@example.com"), User(email="x" * 400), None],
    ids=["anonymous", "no address", "an address with a NUL", "an address too long", "None"],
)
def test_a_user_without_a_usable_address_is_nobody(user):
    request = request_with()
    request.user = user
    assert track(confirmation(), request=request).reason == "nobody"


def test_a_lazy_identity_is_an_identity():
    assert track(Event("x"), identity=SimpleLazyObject(lambda: PIXEL)).identity == PIXEL.stored_form
