"""Each order of an Oscar shop is reported once, by the visitor's pixel where there is one, else by e-mail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from oscar.apps.checkout.mixins import OrderPlacementMixin
from oscar.apps.order.utils import OrderCreator
from oscar.apps.payment.exceptions import UnableToTakePayment
from oscar.core.loading import get_class, get_model
from oscar.test.factories import create_order, create_product

from django_vt.backends import locmem
from django_vt.models import SendLogEntry
from django_vt.testing import FakeVendor, Hang
from tests.oscar.shopper import Shopper

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.oscar]

PIXEL = {"_vt_user": "8139618027113397_253412802711339765_false_false"}
GUEST = "guest@example.com"


@pytest.fixture
def tea() -> Any:
    get_model("address", "Country").objects.create(
        iso_3166_1_a2="RO", iso_3166_1_a3="ROU", printable_name="Romania", name="ROMANIA", is_shipping_country=True
    )
    product = create_product(price="12.50", num_in_stock=100, partner_sku="TEA-1", upc="4006381333931", title="Tea")
    assert OrderCreator  # the class that sends order_placed
    return product


@pytest.fixture
def shop(live_server: Any) -> str:
    return str(live_server.url)


def buy_as_guest(shop: str, tea: Any, **cookies: str) -> None:
    shopper = Shopper(shop, **cookies)
    shopper.put_into_basket(tea.get_absolute_url(), tea.pk)
    shopper.begin_as_guest(GUEST)
    thanks = shopper.check_out()
    assert "thank-you" in thanks.url


def only_confirmation() -> SendLogEntry:
    return SendLogEntry.objects.get(event_type="confirmation")


def test_a_guest_with_a_pixel_cookie_is_reported_by_the_pixel(shop: str, tea: Any) -> None:
    buy_as_guest(shop, tea, **PIXEL)
    entry, order = only_confirmation(), get_model("order", "Order").objects.get()
    assert entry.status == "sent"
    assert entry.reference == order.number
    assert entry.event == {
        "userId": "8139618027113397",
        "sessionId": "253412802711339765",
        "type": "confirmation",
        "items": [{"id": "TEA-1", "quantity": 2}],
        "generic": {"orderId": order.number, "total": float(order.total_incl_tax), "email": GUEST},
    }
    assert len(locmem.outbox) == 1


def test_a_guest_without_a_pixel_cookie_is_reported_by_e_mail(shop: str, tea: Any) -> None:
    buy_as_guest(shop, tea)
    event = only_confirmation().event
    assert event is not None
    assert event["email"] == GUEST
    assert "userId" not in event


@pytest.mark.parametrize("cookies", [PIXEL, {}], ids=["pixel", "no pixel"])
def test_a_registered_customer_is_reported_once_with_the_login(shop: str, tea: Any, cookies: dict[str, str]) -> None:
    get_user_model().objects.create_user("ana", "ana@example.com", "secret-tea-1")
    shopper = Shopper(shop, **cookies)
    shopper.log_in("ana@example.com", "secret-tea-1")
    shopper.put_into_basket(tea.get_absolute_url(), tea.pk)
    assert "thank-you" in shopper.check_out().url
    event = only_confirmation().event
    assert event is not None
    assert event["generic"]["email"] == "ana@example.com"
    assert ("userId" in event) is bool(cookies)
    assert SendLogEntry.objects.filter(event_type="login", status="sent").count() == 1


def test_an_order_created_by_code_goes_by_the_buyers_address(tea: Any) -> None:
    buyer = get_user_model().objects.create_user("ion", "ion@example.com")
    create_order(number="1001", user=buyer)
    entry = only_confirmation()
    assert (entry.reference, entry.identity) == ("1001", "email:ion@example.com")


def test_a_payment_that_fails_is_no_order(shop: str, tea: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise UnableToTakePayment("no money")

    monkeypatch.setattr(get_class("checkout.mixins", "OrderPlacementMixin"), "handle_payment", refuse)
    assert OrderPlacementMixin.handle_payment is refuse
    shopper = Shopper(shop, **PIXEL)
    shopper.put_into_basket(tea.get_absolute_url(), tea.pk)
    shopper.begin_as_guest(GUEST)
    shopper.check_out()
    assert not SendLogEntry.objects.exists()


def test_a_basket_that_is_abandoned_is_no_order(shop: str, tea: Any) -> None:
    shopper = Shopper(shop, **PIXEL)
    shopper.put_into_basket(tea.get_absolute_url(), tea.pk)
    shopper.begin_as_guest(GUEST)
    assert not SendLogEntry.objects.exists()


@pytest.mark.parametrize(
    ("setting", "expected"), [("upc", "4006381333931"), ("product_id", None), ("partner_sku", "TEA-1")]
)
def test_items_go_by_what_the_setting_says(shop: str, tea: Any, settings: Any, setting: str, expected: str) -> None:
    settings.DJANGO_VT = {**settings.DJANGO_VT, "OSCAR_ITEM_ID": setting}
    buy_as_guest(shop, tea)
    event = only_confirmation().event
    assert event is not None
    assert event["items"][0]["id"] == (expected or str(tea.pk))


@pytest.fixture
def no_table() -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.execute("ALTER TABLE django_vt_sendlogentry RENAME TO django_vt_away")
    yield
    with connection.schema_editor() as editor:
        editor.execute("ALTER TABLE django_vt_away RENAME TO django_vt_sendlogentry")


@pytest.mark.parametrize("atomic_requests", [False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
@pytest.mark.usefixtures("no_table")
def test_without_the_send_log_the_thank_you_page_comes(shop: str, tea: Any, atomic_requests: bool) -> None:
    connection.settings_dict["ATOMIC_REQUESTS"] = atomic_requests
    try:
        buy_as_guest(shop, tea, **PIXEL)
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert get_model("order", "Order").objects.count() == 1


def test_with_the_vendor_hanging_the_thank_you_page_comes(shop: str, tea: Any, settings: Any) -> None:
    with FakeVendor() as vendor:
        vendor.misbehave(Hang())
        settings.DJANGO_VT = {
            **settings.DJANGO_VT,
            "ENDPOINT": vendor.endpoint,
            "BACKEND": "django_vt.backends.http.HttpBackend",
            "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher",
        }
        buy_as_guest(shop, tea, **PIXEL)
    assert only_confirmation().status == "pending"
