"""The Oscar adapter's own steps, with stand-ins for Oscar's signals; tests/oscar walks the real shop."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import OperationalError, connection
from django.dispatch import Signal
from django.test import RequestFactory

from django_vt.contrib.oscar.apps import OscarConfig
from django_vt.events import Confirmation
from django_vt.models import SendLogEntry
from django_vt.operations.unreported import UnusableOrder
from django_vt.visitors import serving
from tests.support.chained import Chained

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

MODULE = "django_vt.contrib.oscar.receivers"


@pytest.fixture
def receivers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The adapter, connected as the app does it, to signals of the names that Oscar has."""
    packages = ("oscar", "oscar.apps", "oscar.apps.checkout", "oscar.apps.order")
    for name in (*packages, "oscar.apps.checkout.signals", "oscar.apps.order.signals"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["oscar.apps.checkout.signals"].post_checkout = Signal()  # type: ignore[attr-defined]
    sys.modules["oscar.apps.order.signals"].order_placed = Signal()  # type: ignore[attr-defined]
    package = importlib.import_module("django_vt.contrib.oscar")
    OscarConfig("django_vt.contrib.oscar", package).ready()
    yield sys.modules[MODULE]
    sys.modules.pop(f"{package.__name__}.orders", None)
    del sys.modules[MODULE], package.receivers


def line(**fields: object) -> SimpleNamespace:
    return SimpleNamespace(**{"partner_sku": "TEA-1", "upc": "400638", "product_id": 7, "quantity": 2, **fields})


def order(*lines: SimpleNamespace, email: str = "buyer@example.com") -> SimpleNamespace:
    return SimpleNamespace(
        number="100023",
        total_incl_tax=Decimal("25.00"),
        email=email,
        lines=SimpleNamespace(all=lambda: lines or (line(),)),
        _state=SimpleNamespace(db="default"),
    )


def serve(user: object, host: str = "testserver", **cookies: str) -> Any:
    request = RequestFactory().get("/", headers={"host": host})
    request.COOKIES.update(cookies)
    request.user = user  # type: ignore[assignment]
    return request


def place(receivers: Any, placed: SimpleNamespace, user: object, request: Any) -> None:
    token = serving.start_serving(request)
    try:
        receivers.order_placed.send(sender=object(), order=placed, user=user)
    finally:
        serving.stop_serving(token)


def test_both_signals_of_an_order_make_one_event(receivers: Any) -> None:
    request = serve(AnonymousUser(), _vt_user="1_2")
    place(receivers, order(), None, request)
    receivers.post_checkout.send(sender=object(), order=order(), request=request)
    entry = SendLogEntry.objects.get()
    assert (entry.reference, entry.identity) == ("100023", "pixel:1_2")


def test_the_checkout_names_a_buyer_nobody_could_name_before(receivers: Any) -> None:
    place(receivers, order(email=""), None, None)
    assert SendLogEntry.objects.get().status == "skipped"
    receivers.post_checkout.send(sender=object(), order=order(email=""), request=serve(AnonymousUser(), _vt_user="1_2"))
    entry = SendLogEntry.objects.get()
    assert (entry.status, entry.identity) == ("sent", "pixel:1_2")


def test_staff_who_place_an_order_are_not_taken_for_its_buyer(receivers: Any) -> None:
    staff = User.objects.create_user("staff", "staff@example.com", is_staff=True)
    buyer = User.objects.create_user("buyer", "buyer@example.com")
    place(receivers, order(), buyer, serve(staff, _vt_user="9_9"))
    assert SendLogEntry.objects.get().identity == "email:buyer@example.com"


SHOPS = {"one.ro": "acc-ro", "one.bg": "acc-bg"}


@pytest.fixture
def shops(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ACCOUNT_ID": SHOPS}


@pytest.mark.usefixtures("shops")
def test_an_order_goes_to_the_account_of_its_site_whoever_is_served_and_where(receivers: Any) -> None:
    placed = order()
    placed.site = SimpleNamespace(domain="One.bg")
    place(receivers, placed, None, None)
    receivers.post_checkout.send(sender=object(), order=placed, request=serve(AnonymousUser(), host="one.ro"))
    assert SendLogEntry.objects.get().account_id == "acc-bg"


@pytest.mark.usefixtures("shops")
@pytest.mark.parametrize("site", [None, SimpleNamespace(domain="example.com")])
def test_an_order_without_a_site_that_is_a_shop_goes_to_the_account_of_where_its_buyer_is(
    receivers: Any, site: object
) -> None:
    placed = order()
    placed.site = site
    request = serve(AnonymousUser(), host="one.ro", _vt_user="1_2")
    place(receivers, placed, None, request)
    receivers.post_checkout.send(sender=object(), order=placed, request=request)
    entry = SendLogEntry.objects.get()
    assert (entry.account_id, entry.status) == ("acc-ro", "sent")


@pytest.mark.parametrize(("setting", "expected"), [("partner_sku", "TEA-1"), ("upc", "400638"), ("product_id", "7")])
def test_items_go_by_what_the_setting_says(receivers: Any, settings: Any, setting: str, expected: str) -> None:
    settings.DJANGO_VT = {**settings.DJANGO_VT, "OSCAR_ITEM_ID": setting}
    assert receivers.confirmation(order()).items[0].id == expected


def test_a_line_without_the_wanted_id_goes_by_another(receivers: Any, settings: Any) -> None:
    settings.DJANGO_VT = {**settings.DJANGO_VT, "OSCAR_ITEM_ID": "upc"}
    assert receivers.item_id(line(upc=None)) == "TEA-1"


def test_an_order_that_cannot_be_read_is_seen_as_skipped(receivers: Any) -> None:
    receivers.order_placed.send(sender=object(), order=order(line(quantity=0)), user=None)
    entry = SendLogEntry.objects.get()
    assert (entry.status, entry.reason) == ("skipped", "invalid: items[0].quantity")


def test_an_order_that_cannot_be_sent_is_one_entry_that_keeps_the_rest_and_one_line(
    receivers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    unusable = order(line(), line(quantity=0))
    place(receivers, unusable, None, serve(AnonymousUser(), _vt_user="1_2"))
    receivers.post_checkout.send(sender=object(), order=unusable, request=serve(AnonymousUser(), _vt_user="1_2"))
    entry = SendLogEntry.objects.get()
    assert (entry.status, entry.reason, entry.identity) == ("skipped", "invalid: items[1].quantity", "pixel:1_2")
    assert entry.event is not None
    assert entry.event["items"] == [{"id": "TEA-1", "quantity": 2}]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_an_order_that_cannot_be_recorded_is_one_line(receivers: Any, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INSERT INTO" in sql and "sendlogentry" in sql:
            raise OperationalError
        return run(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        place(receivers, order(), None, None)
        receivers.post_checkout.send(sender=object(), order=order(), request=serve(AnonymousUser(), _vt_user="1_2"))
    assert caplog.messages == ["Could not record confirmation 100023: OperationalError"]


def test_a_wrong_item_id_setting_is_named(receivers: Any, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.DJANGO_VT = {**settings.DJANGO_VT, "OSCAR_ITEM_ID": "sku"}
    place(receivers, order(), None, None)
    assert SendLogEntry.objects.get().reason == "invalid: OSCAR_ITEM_ID"
    assert "OSCAR_ITEM_ID: must be one of partner_sku, upc, product_id" in caplog.text


@pytest.mark.usefixtures("receivers")
def test_the_shops_orders_are_those_placed_in_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    model = SimpleNamespace(objects=Chained(order(), order(line(quantity=0))))
    loading = ModuleType("oscar.core.loading")
    loading.get_model = lambda app, name: model if (app, name) == ("order", "Order") else None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "oscar.core", ModuleType("oscar.core"))
    monkeypatch.setitem(sys.modules, "oscar.core.loading", loading)
    from django_vt.contrib.oscar import orders

    since, until = datetime(2026, 11, 1, tzinfo=timezone.utc), datetime(2026, 11, 8, tzinfo=timezone.utc)
    [(account_id, placed), (_none, unusable)] = orders.placed_orders(since, until)
    assert account_id is None
    assert placed == Confirmation("100023", "25.00", [("TEA-1", 2)], "buyer@example.com")
    assert unusable == UnusableOrder("100023", "items[0].quantity: must be above 0")
    assert model.objects.conditions == {"date_placed__gte": since, "date_placed__lt": until}
