"""Shops' own orders, as the setting ORDERS names them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from django_vt.events import Confirmation, Item
from django_vt.operations.unreported import UnusableOrder
from tests.support.ordering import confirmation

MANY = 10_000
TIMES = 1  # that an order is named
placed: dict[str, datetime] = {}
asked: list[tuple[datetime, datetime]] = []


def place(*numbers: str, days_ago: float = 0) -> None:
    for number in numbers:
        placed[number] = timezone.now() - timedelta(days=days_ago, seconds=1)


def orders(since: datetime, until: datetime) -> Iterator[Confirmation]:
    asked.append((since, until))
    for number, at in placed.items():
        if since <= at < until:
            for _time in range(TIMES):
                yield confirmation(order_id=number, email="canary@example.com")


async def orders_async(since: datetime, until: datetime) -> list[Confirmation]:
    return list(orders(since, until))


def many(since: datetime, until: datetime) -> Iterator[Confirmation]:
    for number in range(MANY):
        yield Confirmation(str(number), Decimal("25.00"), [Item("TEA-1", 2)], email="canary@example.com")


def with_an_unusable_one(since: datetime, until: datetime) -> Iterator[Any]:
    for number, quantity in (("1", 1), ("2", 0), ("3", 1)):
        yield _confirmation(number, quantity)


def _confirmation(number: str, quantity: int) -> Any:
    try:
        return confirmation(order_id=number, items=[Item("TEA-1", quantity)])
    except ValueError as error:
        return UnusableOrder.of(number, error)


def by_phone(since: datetime, until: datetime) -> Iterator[Any]:
    yield "acc123", confirmation(order_id="phone-1")
    yield "acc123", confirmation(order_id="1")


def failing(since: datetime, until: datetime) -> Iterator[Confirmation]:
    yield confirmation(order_id="1")
    raise LookupError("canary@example.com")


def invalid(since: datetime, until: datetime) -> Iterator[Confirmation]:
    yield confirmation(order_id="1", items=[Item("TEA-1", 0)])


def of_another_kind(since: datetime, until: datetime) -> Iterator[Any]:
    yield {"order_id": "canary@example.com"}
