"""An order paid through django-payments is reported once, by the pixel of the shopper who paid."""

from __future__ import annotations

import pytest
from django.test import Client
from payments import PaymentStatus

from django_vt.models import RememberedIdentity, SendLogEntry
from tests.payments.shop.models import Payment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.payments]


def go_to_pay(browser: Client) -> Payment:
    answer = browser.post("/pay/")
    payment = Payment.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/payment/{payment.pk}/")
    return payment


def call_back(payment: Payment, result: str) -> None:
    """The provider's request, which has none of the shopper's cookies."""
    answer = Client().get(f"/payments/process/{payment.token}/?verification_result={result}")
    assert answer["Location"] == ("/thank-you/" if result != "rejected" else "/failure/")


def test_a_payment_that_is_confirmed_is_reported_by_the_shoppers_pixel(shopper: Client) -> None:
    payment = go_to_pay(shopper)
    assert not SendLogEntry.objects.exists()
    call_back(payment, "confirmed")
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


def test_a_payment_that_is_confirmed_twice_is_one_order(shopper: Client) -> None:
    payment = go_to_pay(shopper)
    call_back(payment, "confirmed")
    call_back(payment, "confirmed")
    assert SendLogEntry.objects.count() == 1


@pytest.mark.parametrize("status", ["rejected", "preauth"])
def test_a_payment_that_is_not_confirmed_reports_nothing(shopper: Client, status: str) -> None:
    call_back(go_to_pay(shopper), status)
    assert not SendLogEntry.objects.exists()


def test_a_payment_that_was_authorised_is_reported_when_it_is_captured(shopper: Client) -> None:
    payment = go_to_pay(shopper)
    call_back(payment, "preauth")
    payment.refresh_from_db()
    payment.capture()
    assert payment.status == PaymentStatus.CONFIRMED
    assert SendLogEntry.objects.get().identity == "pixel:8139618027113397_253412802711339765"


def test_a_refund_reports_nothing(shopper: Client) -> None:
    payment = go_to_pay(shopper)
    call_back(payment, "confirmed")
    payment.refresh_from_db()
    payment.refund()
    assert SendLogEntry.objects.count() == 1


@pytest.mark.usefixtures("no_table")
def test_without_the_tables_every_request_is_answered(shopper: Client) -> None:
    call_back(go_to_pay(shopper), "confirmed")


@pytest.mark.usefixtures("vendor_hangs")
def test_with_the_vendor_hanging_the_provider_is_answered(shopper: Client) -> None:
    call_back(go_to_pay(shopper), "confirmed")
    assert SendLogEntry.objects.get().status == "pending"
