"""The Salesman adapter's own steps, with stand-ins for what Salesman has; tests/salesman walks the real shop."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models.signals import post_save
from django.dispatch import Signal
from django.test import RequestFactory

from django_vt.contrib.salesman.apps import SalesmanConfig
from django_vt.events import Confirmation
from django_vt.models import RememberedIdentity, SendLogEntry
from django_vt.operations.unreported import UnusableOrder
from django_vt.visitors import serving
from tests.support.chained import Chained

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

MODULE = "django_vt.contrib.salesman.receivers"
SINCE, UNTIL = datetime(2026, 11, 1, tzinfo=timezone.utc), datetime(2026, 11, 8, tzinfo=timezone.utc)
STAFF = SimpleNamespace(pk=9, is_staff=True)
CUSTOMER = SimpleNamespace(pk=7, is_staff=False)


def item(**fields: object) -> SimpleNamespace:
    return SimpleNamespace(**{"product_data": {"code": "TEA-1"}, "product_id": 3, "quantity": 2, **fields})


class Order:
    """As Salesman's: its items are there once it was populated from a basket."""

    def __init__(self, status: str = "NEW", user_id: int | None = None, items: tuple[object, ...] = ()) -> None:
        self.ref, self.total, self.email = "2026-00001", Decimal("25.00"), "buyer@example.com"
        self.status, self.user_id, self.saved = status, user_id, items
        self.items = SimpleNamespace(all=lambda: self.saved)
        self._state = SimpleNamespace(db="default")

    def populate_from_basket(self, basket: tuple[object, ...], request: object, status: str = "CREATED") -> str:
        self.status, self.saved = status, basket
        return "whatever it returned"


@pytest.fixture
def order_model() -> type[Order]:
    return type("Order", (Order,), {})


@pytest.fixture
def status_changed(monkeypatch: pytest.MonkeyPatch, order_model: Any) -> Iterator[Signal]:
    """The adapter, connected as the app does it, to what has the names that Salesman has."""
    signal = Signal()
    packages = ("salesman", "salesman.core", "salesman.core.utils", "salesman.orders", "salesman.orders.signals")
    for name in packages:
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["salesman.core.utils"].get_salesman_model = {"Order": order_model}.get  # type: ignore[attr-defined]
    sys.modules["salesman.orders.signals"].status_changed = signal  # type: ignore[attr-defined]
    package = importlib.import_module("django_vt.contrib.salesman")
    for _ in range(2):  # the second time changes nothing
        SalesmanConfig("django_vt.contrib.salesman", package).ready()
    yield signal
    sys.modules.pop(f"{package.__name__}.orders", None)
    post_save.disconnect(sender=order_model, dispatch_uid="django_vt.contrib.salesman.post_save")
    del sys.modules[MODULE], package.receivers


@pytest.fixture
def serve() -> Iterator[Any]:
    """Serves a visitor who has the pixel's cookie."""
    tokens = []

    def start(user: object, host: str = "testserver") -> None:
        request = RequestFactory().get("/", headers={"host": host})
        request.COOKIES["_vt_user"] = "1_2"
        request.user = user  # type: ignore[assignment]
        tokens.append(serving.start_serving(request))

    yield start
    for token in reversed(tokens):
        serving.stop_serving(token)


def entry() -> tuple[str, str]:
    found = SendLogEntry.objects.get()
    return found.reference, found.identity


@pytest.mark.usefixtures("status_changed")
def test_an_order_is_reported_once_its_items_are_saved(order_model: Any, serve: Any) -> None:
    serve(AnonymousUser())
    order = order_model()
    assert order.populate_from_basket((item(),), None, status="HOLD") == "whatever it returned"
    assert entry() == ("2026-00001", "pixel:1_2")


@pytest.mark.usefixtures("status_changed")
def test_of_several_shops_it_goes_to_the_account_of_the_one_that_its_buyer_is_at(
    order_model: Any, serve: Any, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ACCOUNT_ID": {"one.ro": "acc-ro", "one.bg": "acc-bg"}}
    serve(AnonymousUser(), "one.bg")
    order_model().populate_from_basket((item(),), None, status="HOLD")
    assert SendLogEntry.objects.get().account_id == "acc-bg"


@pytest.mark.usefixtures("status_changed")
def test_an_order_that_awaits_its_payment_is_not_reported(order_model: Any) -> None:
    order_model().populate_from_basket((item(),), None)
    assert not SendLogEntry.objects.exists()


def test_a_status_that_is_told_before_there_are_items_reports_nothing(order_model: Any, status_changed: Signal) -> None:
    status_changed.send(order_model, order=order_model("HOLD"), new_status="HOLD", old_status="NEW")
    assert not SendLogEntry.objects.exists()


@pytest.mark.parametrize("old_status", ["CREATED", "FAILED", "NEW"])
def test_an_order_that_is_paid_later_is_reported_then(
    order_model: Any, status_changed: Signal, old_status: str
) -> None:
    status_changed.send(order_model, order=order_model("PROCESSING", items=(item(),)), old_status=old_status)
    assert entry() == ("2026-00001", "email:buyer@example.com")


def test_what_follows_reports_nothing(order_model: Any, status_changed: Signal) -> None:
    status_changed.send(order_model, order=order_model("SHIPPED", items=(item(),)), old_status="PROCESSING")
    assert not SendLogEntry.objects.exists()


@pytest.mark.parametrize(
    ("order", "visitor", "is_remembered"),
    [
        (("NEW", None), AnonymousUser(), True),
        (("NEW", None), CUSTOMER, True),
        (("NEW", None), STAFF, False),
        (("CREATED", 7), CUSTOMER, True),
        (("CREATED", None), CUSTOMER, False),
        (("CREATED", 7), STAFF, False),
        (("HOLD", 7), CUSTOMER, False),
    ],
)
@pytest.mark.usefixtures("status_changed")
def test_the_buyer_of_an_order_that_is_not_placed_yet_is_remembered(
    order_model: Any, serve: Any, order: Any, visitor: object, is_remembered: bool
) -> None:
    serve(visitor)
    post_save.send(order_model, instance=order_model(*order), created=True, using="default")
    assert RememberedIdentity.objects.exists() is is_remembered


@pytest.mark.usefixtures("status_changed")
def test_an_order_that_is_saved_again_is_not_remembered(order_model: Any, serve: Any) -> None:
    serve(AnonymousUser())
    post_save.send(order_model, instance=order_model(), created=False, using="default")
    assert not RememberedIdentity.objects.exists()


def test_an_item_without_a_code_goes_by_the_products_id(order_model: Any, status_changed: Signal) -> None:
    items = (item(product_data={}), item(product_data={"code": ""}))
    status_changed.send(order_model, order=order_model("HOLD", items=items), old_status="CREATED")
    event = SendLogEntry.objects.get().event
    assert event is not None
    assert [each["id"] for each in event["items"]] == ["3", "3"]


def test_an_order_that_cannot_be_read_is_seen_as_skipped(order_model: Any, status_changed: Signal) -> None:
    status_changed.send(order_model, order=order_model("HOLD", items=(item(quantity=0),)), old_status="CREATED")
    found = SendLogEntry.objects.get()
    assert (found.status, found.reason) == ("skipped", "invalid: items[0].quantity")


@pytest.mark.usefixtures("status_changed")
def test_the_shops_orders_are_those_of_the_time_that_are_placed(order_model: Any) -> None:
    from django_vt.contrib.salesman import orders

    readable, unreadable = order_model(items=(item(),)), order_model(items=(item(quantity=0),))
    order_model.objects = Chained(readable, unreadable)
    [order, unusable] = orders.placed_orders(SINCE, UNTIL)
    assert order == Confirmation("2026-00001", "25.00", [("TEA-1", 2)], "buyer@example.com")
    assert unusable == UnusableOrder("2026-00001", "items[0].quantity: must be above 0")
    within = {"date_created__gte": SINCE, "date_created__lt": UNTIL}
    assert order_model.objects.conditions == {**within, "status__in": orders.NOT_PLACED}
