"""Three hosts, three accounts and one send log: nothing of one shop's reaches another's account, or holds it up."""

from __future__ import annotations

from collections import defaultdict

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from django_vt.delivery import deliver_due
from django_vt.models import Endpoint, RememberedIdentity, SendLogEntry
from django_vt.operations import sending_state
from django_vt.testing import Answer
from tests.support.delivering import configure
from tests.support.ordering import BUYER, PIXEL, PIXEL_COOKIE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.projects.three_shops.urls")]

ACCOUNT_OF = {"one.ro": "acc-ro", ".one.bg": "acc-bg", "one.hu": "acc-hu"}
HOSTS = ("one.ro", "www.one.bg", "one.hu:8443")
ACCOUNTS = ("acc-ro", "acc-bg", "acc-hu")
PROVIDER = "callbacks.payments.example"
PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def vendor(fake_vendor, settings):
    settings.ALLOWED_HOSTS = ["*"]
    configure(settings, ACCOUNT_ID=ACCOUNT_OF, DISPATCHER="django_vt.dispatchers.manual.ManualDispatcher")
    return fake_vendor


def shopper(host, **cookies):
    """A browser that is at one of the shops."""
    browser = Client(headers={"host": host})
    browser.cookies.load({"_vt_user": PIXEL_COOKIE, **cookies})
    return browser


def buy(host, number):
    assert shopper(host).post("/buy/", {"number": number}).status_code == 200


def told(vendor):
    """What each account was told: the references of its confirmations, and the addresses of its logins."""
    events = defaultdict(list)
    for request in vendor.requests:
        if request.accepted:
            events[request.account_id] += [*request.order_ids]
            events[request.account_id] += [event["email"] for event in request.events if event["type"] == "login"]
    return {account: sorted(whats) for account, whats in events.items()}


def statuses():
    """How each account's entries stand."""
    return dict(SendLogEntry.objects.order_by("account_id").values_list("account_id", "status"))


def test_each_order_and_each_login_goes_to_the_account_of_its_shop(vendor):
    for number, host in enumerate(HOSTS):
        get_user_model().objects.create_user(f"shopper{number}", f"{number}@example.com", PASSWORD)
        buy(host, f"order-{number}")
        shopper(host).post("/login/", {"username": f"shopper{number}", "password": PASSWORD})
    deliver_due()
    assert told(vendor) == {
        account: [f"{number}@example.com", f"order-{number}"] for number, account in enumerate(ACCOUNTS)
    }
    assert vendor.violations == []


def test_the_same_order_number_in_two_shops_is_two_orders(vendor):
    for _times in range(2):
        buy("one.ro", "100023")
        buy("www.one.bg", "100023")
    deliver_due()
    assert told(vendor) == {"acc-ro": ["100023"], "acc-bg": ["100023"]}
    assert SendLogEntry.objects.count() == 2


@pytest.mark.parametrize("callback", ["/payment-callback/", "/payment-callback-with-request/"])
def test_a_payment_callback_without_a_host_of_its_own_confirms_each_order_in_its_shop(vendor, callback):
    for number, host in enumerate(HOSTS):
        shopper(host).post("/pay/", {"number": f"order-{number}"})
    for number in reversed(range(len(HOSTS))):
        Client(headers={"host": PROVIDER}).post(callback, {"number": f"order-{number}"})
    deliver_due()
    assert told(vendor) == {account: [f"order-{number}"] for number, account in enumerate(ACCOUNTS)}
    assert {event["userId"] for event in vendor.events} == {PIXEL.user_id}
    assert set(RememberedIdentity.objects.values_list("identity", flat=True)) == {"{}"}


@pytest.mark.parametrize("callback", ["/payment-callback/", "/payment-callback-with-request/"])
def test_a_provider_that_calls_twice_confirms_one_order(vendor, callback):
    shopper("www.one.bg").post("/pay/", {"number": "100023"})
    for _call in range(2):
        Client(headers={"host": PROVIDER}).post(callback, {"number": "100023", "email": BUYER})
    deliver_due()
    assert told(vendor) == {"acc-bg": ["100023"]}
    assert SendLogEntry.objects.count() == 1


@pytest.mark.parametrize("callback", ["/payment-callback/", "/payment-callback-with-request/"])
def test_so_it_does_for_a_buyer_whom_no_cookie_names(vendor, callback):
    Client(headers={"host": "www.one.bg"}).post("/pay/", {"number": "100023"})
    Client(headers={"host": PROVIDER}).post(callback, {"number": "100023", "email": BUYER})
    deliver_due()
    assert told(vendor) == {"acc-bg": ["100023"]}
    assert vendor.events[0]["email"] == BUYER


@pytest.mark.parametrize("callback", ["/payment-callback/", "/payment-callback-with-request/"])
def test_of_two_orders_of_one_number_a_callback_confirms_the_one_whose_account_it_names(vendor, callback):
    shopper("one.ro").post("/pay/", {"number": "100023"})
    shopper("one.hu").post("/pay/", {"number": "100023"})
    Client(headers={"host": PROVIDER}).post(callback, {"number": "100023", "account": "acc-hu"})
    deliver_due()
    assert told(vendor) == {"acc-hu": ["100023"]}
    assert RememberedIdentity.objects.exclude(identity="{}").get().account_id == "acc-ro"


def test_an_order_of_which_nobody_can_tell_the_shop_is_kept_and_told_to_no_account(vendor):
    shopper(PROVIDER).post("/buy/", {"number": "100023"})
    deliver_due()
    assert vendor.requests == []
    [entry] = SendLogEntry.objects.all()
    assert (entry.status, entry.reason, entry.reference) == ("skipped", "invalid: ACCOUNT_ID", "100023")
    buy("one.ro", "100023")
    deliver_due()
    assert told(vendor) == {"acc-ro": ["100023"]}


def test_one_accounts_outage_touches_no_other(vendor, clock):
    vendor.misbehave(Answer(503, retry_after=120), when=lambda request: request.account_id == "acc-bg")
    for _round in range(2):
        for host in HOSTS:
            buy(host, f"order-{clock.ms}")
        deliver_due()
        clock.advance(60)
    assert statuses() == {"acc-ro": "sent", "acc-bg": "pending", "acc-hu": "sent"}
    assert [each.account_id for each in Endpoint.objects.all() if not each.is_open()] == ["acc-bg"]
    assert [request.account_id for request in vendor.requests].count("acc-bg") == 1
    vendor.behave()
    clock.advance(60)
    deliver_due()
    assert set(statuses().values()) == {"sent"}
    assert {account: len(whats) for account, whats in told(vendor).items()} == dict.fromkeys(ACCOUNTS, 2)


def test_one_accounts_hold_touches_no_other(vendor):
    sending_state.hold("default", "acc-bg")
    for host in HOSTS:
        buy(host, "100023")
    deliver_due()
    assert statuses() == {"acc-ro": "sent", "acc-bg": "pending", "acc-hu": "sent"}
    assert "acc-bg" not in told(vendor)
    sending_state.release("default", "acc-bg")
    deliver_due()
    assert told(vendor) == {account: ["100023"] for account in ACCOUNTS}
