"""The adapter for django-plans brings the orders with it: those that an import completed are found."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from plans.models import Order, Plan, Pricing

from django_vt.models import SendLogEntry

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.plans]


@pytest.fixture
def of_the_club() -> dict[str, Any]:
    """What the imported orders have in common."""
    plan = Plan.objects.create(name="Tea club", slug="tea-club", available=True)
    buyer = User.objects.create_user("ana", "ana@example.com")
    return {"plan": plan, "pricing": Pricing.objects.create(name="Month", period=30), "user": buyer, "amount": 10}


def imported(common: dict[str, Any], days_ago: int = 1, status: int = Order.STATUS.COMPLETED) -> str:
    """The number of an order that is written as if it had been completed."""
    completed = timezone.now() - timedelta(days=days_ago)
    return str(Order.objects.create(**common, status=status, completed=completed).pk)


def found(*arguments: str) -> str:
    printed = StringIO()
    try:
        call_command("find_unreported_orders", *arguments, stdout=printed)
    except CommandError as error:
        printed.write(f"! {error}")
    return printed.getvalue()


def test_an_imported_order_is_found_and_reported(of_the_club: dict[str, Any]) -> None:
    number = imported(of_the_club)
    imported(of_the_club, days_ago=8)
    for status in (Order.STATUS.NEW, Order.STATUS.NOT_VALID, Order.STATUS.CANCELED, Order.STATUS.RETURNED):
        imported(of_the_club, status=status)
    assert found() == f"{number}\n! 1 order without an entry. --report records them."
    found("--report")
    entry = SendLogEntry.objects.get(event_type="confirmation")
    assert (entry.reference, entry.status, entry.identity) == (number, "sent", "email:ana@example.com")
    assert found() == "0 orders without an entry.\n"


def test_their_number_of_queries_grows_by_parts_only(
    of_the_club: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        imported(of_the_club)
    with django_assert_max_num_queries(11):
        found()
