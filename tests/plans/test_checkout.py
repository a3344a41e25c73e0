"""Each order of a plan is reported once it is paid, by the buyer's pixel where there is one, else by e-mail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.mail.utils import DNS_NAME
from django.db import connection, transaction
from django.test import Client
from plans.models import BillingInfo, Order, Plan, PlanPricing, Pricing
from plans_payments.models import Payment

from django_vt.backends import locmem
from django_vt.contrib.plans import receivers
from django_vt.models import SendLogEntry
from django_vt.testing import FakeVendor
from django_vt.testing.fake_vendor import Hang

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.plans]

PIXEL_COOKIE = "8139618027113397_253412802711339765_false_false"
BY_PIXEL = "pixel:8139618027113397_253412802711339765"
BY_ADDRESS = "email:ana@example.com"


@pytest.fixture(autouse=True)
def own_name_without_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    """django-plans mails its invoices; Django asks the network for this machine's name for that."""
    monkeypatch.setattr(DNS_NAME, "_fqdn", "localhost", raising=False)


@pytest.fixture
def club() -> PlanPricing:
    """A plan for a month, and the free one that users have until they buy it."""
    Plan.objects.create(name="Free", slug="free", default=True, available=True)
    plan = Plan.objects.create(name="Tea club", slug="tea-club", available=True)
    return PlanPricing.objects.create(plan=plan, pricing=Pricing.objects.create(name="Month", period=30), price=10)


def customer(pixel_cookie: str = PIXEL_COOKIE) -> Client:
    """The browser of a customer who has logged in."""
    buyer = User.objects.create_user("ana", "ana@example.com", "secret-tea-1")
    where = {"street": "Str. Lunga 1", "zipcode": "500035", "city": "Brasov", "country": "RO"}
    BillingInfo.objects.create(user=buyer, name="Ana Pop", **where)
    browser = Client()
    if pixel_cookie:
        browser.cookies["_vt_user"] = pixel_cookie
    answer = browser.post("/login/", {"username": "ana", "password": "secret-tea-1"}, follow=True)
    assert answer.status_code == 200
    return browser


def order(browser: Client, club: PlanPricing) -> Order:
    """From the page that confirms the order to the payment."""
    page = f"/plan/order/extend/new/{club.pk}/"
    assert browser.get(page).status_code == 200
    assert browser.post(page, follow=True).status_code == 200
    placed = Order.objects.latest("pk")
    assert browser.get(f"/plan/create_payment/default/{placed.pk}/", follow=True).status_code == 200
    return placed


def pay(placed: Order, result: str = "confirmed", caller: Client | None = None) -> None:
    """The payment provider calls back: its own request unless `caller` is given."""
    token = Payment.objects.get(order=placed).token
    answer = (caller or Client()).get(f"/payments/process/{token}/?verification_result={result}")
    assert answer.status_code == 302


def confirmations() -> int:
    return SendLogEntry.objects.filter(event_type="confirmation").count()


def only_confirmation() -> SendLogEntry:
    return SendLogEntry.objects.get(event_type="confirmation")


def test_an_order_is_reported_when_it_is_paid_by_the_buyers_pixel(club: PlanPricing) -> None:
    placed = order(customer(), club)
    assert confirmations() == 0
    pay(placed)
    entry = only_confirmation()
    assert entry.status == "sent"
    assert entry.event == {
        "userId": "8139618027113397",
        "sessionId": "253412802711339765",
        "type": "confirmation",
        "items": [{"id": "tea-club", "quantity": 1}],
        "generic": {"orderId": str(placed.pk), "total": 12, "email": "ana@example.com"},
    }
    assert len(locmem.outbox) == 2  # the login, too


def test_without_a_pixel_cookie_it_goes_by_e_mail(club: PlanPricing) -> None:
    pay(order(customer(pixel_cookie=""), club))
    assert only_confirmation().identity == BY_ADDRESS


def test_the_buyer_who_comes_back_with_the_payment_is_known_by_the_pixel_of_that_request(club: PlanPricing) -> None:
    browser = customer(pixel_cookie="")
    placed = order(browser, club)
    browser.cookies["_vt_user"] = PIXEL_COOKIE
    pay(placed, caller=browser)
    assert only_confirmation().identity == BY_PIXEL


def test_a_provider_that_calls_twice_makes_one_event(club: PlanPricing) -> None:
    placed = order(customer(), club)
    pay(placed)
    pay(placed)
    assert confirmations() == 1
    assert SendLogEntry.objects.filter(event_type="login").count() == 1


def test_a_payment_that_fails_is_no_order(club: PlanPricing) -> None:
    pay(order(customer(), club), "rejected")
    assert confirmations() == 0


def test_staff_who_complete_an_order_are_not_taken_for_its_buyer(club: PlanPricing) -> None:
    placed = order(customer(pixel_cookie=""), club)
    User.objects.create_superuser("staff", "staff@example.com", "secret-tea-2")
    staff = Client()
    staff.cookies["_vt_user"] = "9_9"
    staff.login(username="staff", password="secret-tea-2")
    chosen = {"action": "make_order_completed", "_selected_action": [placed.pk]}
    assert staff.post("/admin/plans/order/", chosen, follow=True).status_code == 200
    assert only_confirmation().identity == BY_ADDRESS


def test_a_renewal_by_a_task_is_an_order_of_its_own_and_goes_by_e_mail(club: PlanPricing) -> None:
    pay(order(customer(), club))
    userplan = User.objects.get().userplan
    userplan.set_plan_renewal(order=Order.objects.get(), renewal_triggered_by=3)
    renewal = userplan.recurring.create_renew_order()
    renewal.complete_order()
    entry = SendLogEntry.objects.get(event_type="confirmation", reference=str(renewal.pk))
    assert (confirmations(), entry.identity) == (2, BY_ADDRESS)


def test_an_order_that_gives_its_buyer_nothing_is_not_reported(club: PlanPricing) -> None:
    placed = order(customer(), club)
    other = Plan.objects.create(name="Coffee club", slug="coffee-club", available=True)
    PlanPricing.objects.create(plan=other, pricing=club.pricing, price=20)
    User.objects.get().userplan.extend_account(other, club.pricing)
    pay(placed)
    assert Order.objects.get().status == Order.STATUS.NOT_VALID
    assert confirmations() == 0


def test_the_entry_is_rolled_back_with_the_order(club: PlanPricing) -> None:
    placed = order(customer(), club)
    with transaction.atomic():
        placed.complete_order()
        assert confirmations() == 1
        transaction.set_rollback(True)
    assert confirmations() == 0


def test_a_second_connection_changes_nothing(club: PlanPricing) -> None:
    receivers.connect()
    pay(order(customer(), club))
    assert confirmations() == 1


@pytest.fixture
def no_table() -> Iterator[None]:
    tables = ("django_vt_sendlogentry", "django_vt_rememberedidentity")
    with connection.schema_editor() as editor:
        for table in tables:
            editor.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
    yield
    with connection.schema_editor() as editor:
        for table in tables:
            editor.execute(f"ALTER TABLE {table}_away RENAME TO {table}")


@pytest.mark.parametrize("atomic_requests", [False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
@pytest.mark.usefixtures("no_table")
def test_without_the_tables_every_page_comes(club: PlanPricing, atomic_requests: bool) -> None:
    connection.settings_dict["ATOMIC_REQUESTS"] = atomic_requests
    try:
        pay(order(customer(), club))
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert Order.objects.get().status == Order.STATUS.COMPLETED


def test_with_the_vendor_hanging_the_payment_is_answered(club: PlanPricing, settings: Any) -> None:
    with FakeVendor() as vendor:
        vendor.misbehave(Hang())
        settings.DJANGO_VT = {
            **settings.DJANGO_VT,
            "ENDPOINT": vendor.endpoint,
            "BACKEND": "django_vt.backends.http.HttpBackend",
            "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher",
        }
        pay(order(customer(), club))
    assert only_confirmation().status == "pending"
