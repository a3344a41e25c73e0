"""An order paid with Stripe Checkout through dj-stripe is reported once, by the pixel of the shopper who paid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from django.test import Client

from django_vt.models import RememberedIdentity, SendLogEntry
from tests.payments.shop.models import Order
from tests.payments.stripe_api import StripeAPI, call_back

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.payments]

COMPLETED = "checkout.session.completed"
PAID_LATER = "checkout.session.async_payment_succeeded"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[StripeAPI]:
    api = StripeAPI()
    with api.serve():
        monkeypatch.setattr(stripe, "api_base", api.base)
        monkeypatch.setattr(stripe, "api_key", settings.STRIPE_TEST_SECRET_KEY)
        monkeypatch.setattr(stripe, "max_network_retries", 0)
        yield api


def go_to_pay(browser: Client) -> None:
    answer = browser.post("/pay/stripe/")
    assert (answer.status_code, answer["Location"]) == (302, "https://checkout.stripe.example/cs_test_1")


def test_a_session_that_is_paid_is_reported_by_the_shoppers_pixel(api: StripeAPI, shopper: Client) -> None:
    go_to_pay(shopper)
    assert not SendLogEntry.objects.exists()
    assert call_back(api.event(COMPLETED, payment_status="paid")).status_code == 200
    entry = SendLogEntry.objects.get()
    assert entry.status == "sent"
    assert entry.event == {
        "userId": "8139618027113397",
        "sessionId": "253412802711339765",
        "type": "confirmation",
        "items": [{"id": "TEAPOT-1", "quantity": 2}],
        "generic": {"orderId": "100023", "total": 49.9, "email": "buyer@example.com"},
    }
    assert not RememberedIdentity.objects.exists()


def test_an_event_that_comes_twice_is_one_order(api: StripeAPI, shopper: Client) -> None:
    go_to_pay(shopper)
    for number in (1, 1, 2):
        assert call_back(api.event(COMPLETED, number, payment_status="paid")).status_code == 200
    assert SendLogEntry.objects.count() == 1


def test_a_bank_transfer_is_reported_when_the_money_has_come(api: StripeAPI, shopper: Client) -> None:
    go_to_pay(shopper)
    assert call_back(api.event(COMPLETED)).status_code == 200
    assert not SendLogEntry.objects.exists()
    assert call_back(api.event(PAID_LATER, 2, payment_status="paid")).status_code == 200
    assert SendLogEntry.objects.count() == 1


def test_what_stripe_has_not_signed_reports_nothing(api: StripeAPI, shopper: Client) -> None:
    go_to_pay(shopper)
    assert call_back(api.event(COMPLETED, payment_status="paid"), secret="whsec_of_somebody").status_code == 400
    assert not SendLogEntry.objects.exists()


def test_a_session_of_another_shop_reports_nothing(api: StripeAPI, shopper: Client) -> None:
    go_to_pay(shopper)
    event = api.event(COMPLETED, payment_status="paid", client_reference_id=None)
    assert call_back(event).status_code == 200
    assert not SendLogEntry.objects.exists()


def test_an_event_that_dj_stripe_could_not_process_is_reported_once_it_comes_again(
    api: StripeAPI, shopper: Client
) -> None:
    go_to_pay(shopper)
    api.is_down = True
    assert call_back(api.event(COMPLETED, payment_status="paid")).status_code == 500
    assert not SendLogEntry.objects.exists()
    api.is_down = False
    assert call_back(api.event(COMPLETED)).status_code == 200
    assert SendLogEntry.objects.count() == 1


@pytest.mark.usefixtures("no_table")
def test_without_the_tables_every_request_is_answered(api: StripeAPI, shopper: Client) -> None:
    go_to_pay(shopper)
    assert call_back(api.event(COMPLETED, payment_status="paid")).status_code == 200
    assert Order.objects.count() == 1


@pytest.mark.usefixtures("vendor_hangs")
def test_with_the_vendor_hanging_stripe_is_answered(api: StripeAPI, shopper: Client) -> None:
    go_to_pay(shopper)
    assert call_back(api.event(COMPLETED, payment_status="paid")).status_code == 200
    assert SendLogEntry.objects.get().status == "pending"
