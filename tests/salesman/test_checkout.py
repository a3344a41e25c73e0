"""Each order of a Salesman shop is reported once, when it is placed: by the buyer's pixel if known, else by e-mail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import RequestFactory
from salesman.core.utils import get_salesman_model

from django_vt.backends import locmem
from django_vt.contrib.salesman import receivers
from django_vt.models import SendLogEntry
from django_vt.testing import FakeVendor
from django_vt.testing.fake_vendor import Hang
from tests.salesman.shop.models import Tea
from tests.salesman.shopper import GUEST, Shopper, provider_calls_back

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.salesman]

PIXEL = {"_vt_user": "8139618027113397_253412802711339765_false_false"}
BY_PIXEL = "pixel:8139618027113397_253412802711339765"


@pytest.fixture
def tea() -> Tea:
    return Tea.objects.create(name="Tea", code="TEA-1", price="12.50")


def with_basket(tea: Tea, **cookies: str) -> Shopper:
    shopper = Shopper(**cookies)
    shopper.put_into_basket(tea, 2)
    shopper.put_into_basket(Tea.objects.create(name="Sample", code="FREE-1", price="0"), 1)
    return shopper


def only_order() -> Any:
    return get_salesman_model("Order").objects.get()


def only_confirmation() -> SendLogEntry:
    return SendLogEntry.objects.get(event_type="confirmation")


def confirmations() -> int:
    return SendLogEntry.objects.filter(event_type="confirmation").count()


def test_an_order_that_is_placed_at_once_is_reported_with_its_items_and_its_total(tea: Tea) -> None:
    with_basket(tea, **PIXEL).check_out("transfer")
    entry = only_confirmation()
    assert entry.status == "sent"
    assert entry.event == {
        "userId": "8139618027113397",
        "sessionId": "253412802711339765",
        "type": "confirmation",
        "items": [{"id": "TEA-1", "quantity": 2}, {"id": "FREE-1", "quantity": 1}],
        "generic": {"orderId": only_order().ref, "total": 30, "email": GUEST},
    }
    assert len(locmem.outbox) == 1


def test_a_guest_without_a_pixel_cookie_is_reported_by_e_mail(tea: Tea) -> None:
    with_basket(tea).check_out("transfer")
    assert only_confirmation().identity == f"email:{GUEST}"


@pytest.mark.parametrize("payment_method", ["card", "later"])
def test_an_order_that_is_paid_later_is_reported_when_it_is_paid_by_the_buyers_pixel(
    tea: Tea, payment_method: str
) -> None:
    with_basket(tea, **PIXEL).check_out(payment_method)
    assert confirmations() == 0
    for _ in range(2):
        provider_calls_back(payment_method, only_order().ref)
    entry = only_confirmation()
    assert (entry.reference, entry.identity) == (only_order().ref, BY_PIXEL)
    assert entry.event is not None
    assert [item["id"] for item in entry.event["items"]] == ["TEA-1", "FREE-1"]


@pytest.mark.parametrize("payment_method", ["transfer", "card", "later"])
@pytest.mark.parametrize("cookies", [PIXEL, {}], ids=["pixel", "no pixel"])
def test_a_registered_customer_is_reported_once_with_the_login(
    tea: Tea, payment_method: str, cookies: dict[str, str]
) -> None:
    User.objects.create_user("ana", "ana@example.com", "secret-tea-1")
    shopper = with_basket(tea, **cookies)
    shopper.log_in("ana", "secret-tea-1")
    shopper.check_out(payment_method, "ana@example.com")
    if payment_method != "transfer":
        provider_calls_back(payment_method, only_order().ref)
    assert only_confirmation().identity == (BY_PIXEL if cookies else "email:ana@example.com")
    assert SendLogEntry.objects.filter(event_type="login", status="sent").count() == 1


def log_in_as_staff() -> Shopper:
    User.objects.create_superuser("staff", "staff@example.com", "secret-tea-2")
    staff = Shopper(_vt_user="9_9")
    staff.log_in("staff", "secret-tea-2")
    return staff


def test_staff_who_mark_an_order_paid_are_not_taken_for_its_buyer(tea: Tea) -> None:
    with_basket(tea).check_out("later")
    log_in_as_staff().call("PUT", f"/api/orders/{only_order().ref}/status/", status="PROCESSING")
    assert only_confirmation().identity == f"email:{GUEST}"


def test_staff_who_begin_an_order_are_not_remembered_before_it_says_whose_it_is(tea: Tea) -> None:
    staff = log_in_as_staff()
    staff.put_into_basket(tea, 1)
    staff.check_out("card")
    provider_calls_back("card", only_order().ref)
    assert only_confirmation().identity == f"email:{GUEST}"


def test_what_happens_to_an_order_afterwards_is_no_order(tea: Tea) -> None:
    with_basket(tea, **PIXEL).check_out("transfer")
    staff = log_in_as_staff()
    for status in ("PROCESSING", "SHIPPED", "COMPLETED", "REFUNDED"):
        staff.call("PUT", f"/api/orders/{only_order().ref}/status/", status=status)
    assert confirmations() == 1
    assert len(locmem.outbox) == 1


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
def test_an_order_that_is_never_paid_is_not_reported(tea: Tea, status: str) -> None:
    with_basket(tea, **PIXEL).check_out("later")
    log_in_as_staff().call("PUT", f"/api/orders/{only_order().ref}/status/", status=status)
    assert confirmations() == 0


def test_a_basket_that_is_abandoned_is_no_order(tea: Tea) -> None:
    with_basket(tea, **PIXEL)
    assert not SendLogEntry.objects.exists()


def place_by_code(tea: Tea) -> Any:
    basket = get_salesman_model("Basket").objects.create()
    basket.add(tea)
    basket.extra["email"] = GUEST
    return get_salesman_model("Order").objects.create_from_basket(basket, RequestFactory().get("/"), status="HOLD")


def test_the_entry_is_rolled_back_with_its_order(tea: Tea) -> None:
    with transaction.atomic():
        place_by_code(tea)
        assert confirmations() == 1
        transaction.set_rollback(True)
    assert confirmations() == 0


def die(event: object, identity: object, request: object) -> None:
    raise KeyboardInterrupt


def test_a_process_that_dies_before_the_entry_is_there_leaves_no_order(tea: Tea, settings: Any) -> None:
    settings.DJANGO_VT = {**settings.DJANGO_VT, "BEFORE_RECORD": f"{__name__}.die"}
    with pytest.raises(KeyboardInterrupt):
        place_by_code(tea)
    assert not get_salesman_model("Order").objects.exists()


def test_the_shop_sees_the_items_that_it_has_saved(tea: Tea) -> None:
    assert [item.code for item in place_by_code(tea).get_items()] == ["TEA-1"]


def test_a_second_connection_changes_nothing() -> None:
    before = get_salesman_model("Order").populate_from_basket
    receivers.connect()
    assert get_salesman_model("Order").populate_from_basket is before


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


@pytest.mark.parametrize("payment_method", ["transfer", "card", "later"])
@pytest.mark.parametrize("atomic_requests", [False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
@pytest.mark.usefixtures("no_table")
def test_without_the_tables_every_page_comes(tea: Tea, payment_method: str, atomic_requests: bool) -> None:
    connection.settings_dict["ATOMIC_REQUESTS"] = atomic_requests
    try:
        with_basket(tea, **PIXEL).check_out(payment_method)
        if payment_method != "transfer":
            provider_calls_back(payment_method, only_order().ref)
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert only_order().status in {"HOLD", "PROCESSING"}


def test_with_the_vendor_hanging_the_order_is_answered(tea: Tea, settings: Any) -> None:
    with FakeVendor() as vendor:
        vendor.misbehave(Hang())
        settings.DJANGO_VT = {
            **settings.DJANGO_VT,
            "ENDPOINT": vendor.endpoint,
            "BACKEND": "django_vt.backends.http.HttpBackend",
            "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher",
        }
        with_basket(tea, **PIXEL).check_out("transfer")
    assert only_confirmation().status == "pending"
