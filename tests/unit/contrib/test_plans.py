"""The adapter for django-plans, with stand-ins for its signals; tests/plans walks the real shop."""

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
from django.dispatch import Signal
from django.test import RequestFactory

from django_vt.contrib.plans.apps import PlansConfig
from django_vt.events import Confirmation
from django_vt.models import RememberedIdentity, SendLogEntry
from django_vt.operations.unreported import UnusableOrder
from django_vt.visitors import serving
from tests.support.chained import Chained

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

MODULE = "django_vt.contrib.plans.receivers"
SINCE, UNTIL = datetime(2026, 11, 1, tzinfo=timezone.utc), datetime(2026, 11, 8, tzinfo=timezone.utc)
BUYER = SimpleNamespace(pk=7, email="buyer@example.com")


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The adapter, connected as the app does it, to signals of the names that django-plans has."""
    stand_in = ModuleType("plans.signals")
    stand_in.order_started, stand_in.order_completed = Signal(), Signal()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "plans", ModuleType("plans"))
    monkeypatch.setitem(sys.modules, "plans.signals", stand_in)
    package = importlib.import_module("django_vt.contrib.plans")
    for _ in range(2):  # the second time changes nothing
        PlansConfig("django_vt.contrib.plans", package).ready()
    yield stand_in
    sys.modules.pop(f"{package.__name__}.orders", None)
    del sys.modules[MODULE], package.receivers


class Order:
    """As one of django-plans: it is what sends the signals."""

    STATUS = SimpleNamespace(COMPLETED=2, NOT_VALID=3)
    pk, user, user_id = 100023, BUYER, BUYER.pk

    def __init__(self, status: int = STATUS.COMPLETED, slug: str = "tea-club") -> None:
        self.status, self.plan = status, SimpleNamespace(slug=slug)
        self._state = SimpleNamespace(db="default")

    def total(self) -> Decimal:
        return Decimal("12.00")


def send(signal: Signal, sender: Any, visitor: object, host: str = "testserver") -> None:
    request = RequestFactory().get("/", headers={"host": host})
    request.COOKIES["_vt_user"] = "1_2"
    request.user = visitor  # type: ignore[assignment]
    token = serving.start_serving(request)
    try:
        signal.send(sender)
    finally:
        serving.stop_serving(token)


def entry() -> tuple[str, str]:
    found = SendLogEntry.objects.get()
    return found.reference, found.identity


def test_the_buyer_is_remembered_until_the_order_is_paid(signals: Any) -> None:
    send(signals.order_started, Order(), BUYER)
    send(signals.order_completed, Order(), AnonymousUser())
    assert entry() == ("100023", "pixel:1_2")
    assert not RememberedIdentity.objects.exists()


def test_an_order_that_somebody_else_starts_and_completes_goes_by_e_mail(signals: Any) -> None:
    send(signals.order_started, Order(), SimpleNamespace(pk=9))
    send(signals.order_completed, Order(), SimpleNamespace(pk=9))
    assert entry() == ("100023", "email:buyer@example.com")


def test_the_buyer_who_completes_it_is_known_by_that_request(signals: Any) -> None:
    send(signals.order_completed, Order(), BUYER)
    assert entry() == ("100023", "pixel:1_2")


@pytest.mark.parametrize(
    ("visitor", "host"), [(BUYER, "one.bg"), (AnonymousUser(), "payments.example")], ids=["by buyer", "by provider"]
)
def test_of_several_shops_it_goes_to_the_account_of_the_one_that_it_was_started_in(
    signals: Any, settings: Any, visitor: object, host: str
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ACCOUNT_ID": {"one.ro": "acc-ro", "one.bg": "acc-bg"}}
    send(signals.order_started, Order(), BUYER, "one.bg")
    for _time in range(2):
        send(signals.order_completed, Order(), visitor, host)
    assert SendLogEntry.objects.get().account_id == "acc-bg"


def test_an_order_that_is_not_valid_is_not_reported(signals: Any) -> None:
    send(signals.order_completed, Order(Order.STATUS.NOT_VALID), BUYER)
    assert not SendLogEntry.objects.exists()


def test_an_order_that_cannot_be_read_is_seen_as_skipped(signals: Any) -> None:
    send(signals.order_completed, Order(slug=""), BUYER)
    found = SendLogEntry.objects.get()
    assert (found.status, found.reason, found.reference) == ("skipped", "invalid: items[0].id", "100023")


def test_the_shops_orders_are_those_completed_in_the_time(signals: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = type("Model", (Order,), {"objects": Chained(Order(), Order(slug=""))})
    base = ModuleType("plans.base.models")
    base.AbstractOrder = SimpleNamespace(get_concrete_model=lambda: model)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "plans.base", ModuleType("plans.base"))
    monkeypatch.setitem(sys.modules, "plans.base.models", base)
    from django_vt.contrib.plans import orders

    [order, unusable] = orders.placed_orders(SINCE, UNTIL)
    assert order == Confirmation("100023", "12.00", [("tea-club", 1)], "buyer@example.com")
    assert unusable == UnusableOrder("100023", "items[0].id: must not be empty")
    within = {"completed__gte": SINCE, "completed__lt": UNTIL}
    assert model.objects.conditions == {**within, "status": Order.STATUS.COMPLETED}  # type: ignore[attr-defined]
