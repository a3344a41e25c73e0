"""Salesman's adapter brings the shop's orders with it: an import that writes them past Salesman's ways is found."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from salesman.core.utils import get_salesman_model

from django_vt.models import SendLogEntry

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.salesman]


def imported(ref: str, status: str = "SHIPPED", quantity: int = 2, **columns: Any) -> None:
    """An order that was written by hand: no basket, and no change of its status."""
    orders, items = get_salesman_model("Order").objects, get_salesman_model("OrderItem").objects
    order = orders.create(ref=ref, status=status, email="guest@example.com", total=25)
    orders.filter(pk=order.pk).update(**columns)
    prices = {"unit_price": "12.50", "subtotal": 25, "total": 25}
    items.create(order=order, product_id=1, product_data={"code": "TEA-1"}, quantity=quantity, **prices)


def found(*arguments: str) -> str:
    printed = StringIO()
    try:
        call_command("find_unreported_orders", *arguments, stdout=printed)
    except CommandError as error:
        printed.write(f"! {error}")
    return printed.getvalue()


def test_an_imported_order_is_found_and_reported() -> None:
    imported("2026-00001")
    imported("2026-00002", date_created=timezone.now() - timedelta(days=8))
    for number, status in enumerate(("NEW", "CREATED", "FAILED", "CANCELLED", "REFUNDED"), 3):
        imported(f"2026-0000{number}", status)
    assert found() == "2026-00001\n! 1 order without an entry. --report records them."
    found("--report")
    entry = SendLogEntry.objects.get()
    assert (entry.reference, entry.status, entry.identity) == ("2026-00001", "sent", "email:guest@example.com")
    assert found() == "0 orders without an entry.\n"


def test_an_order_that_cannot_be_reported_stops_no_other() -> None:
    imported("2026-00001", quantity=0)
    imported("2026-00002")
    assert found("--report").startswith("2026-00001: cannot be reported (items[0].quantity")
    assert SendLogEntry.objects.filter(reference="2026-00002", status="sent").exists()


def test_their_number_of_queries_grows_by_parts_only(django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        imported(f"2026-{number:05}")
    with django_assert_max_num_queries(11):
        found()
