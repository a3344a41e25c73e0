"""Oscar's adapter brings the shop's orders with it: an import that forgets the signal is found."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from oscar.core.loading import get_model
from oscar.test.factories import create_order, create_product

from django_vt.models import SendLogEntry

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.oscar]


@pytest.fixture
def tea() -> Any:
    return create_product(price="12.50", num_in_stock=100, partner_sku="TEA-1", title="Tea")


def imported(tea: Any, number: str, **columns: object) -> Any:
    """An order that no entry tells of, as where an import forgets Oscar's signal."""
    order = create_order(number=number, guest_email="guest@example.com")
    order.lines.update(partner_sku="TEA-1")
    SendLogEntry.objects.filter(reference=number).delete()
    get_model("order", "Order").objects.filter(pk=order.pk).update(**columns)
    return order


def found(*arguments: str) -> str:
    printed = StringIO()
    try:
        call_command("find_unreported_orders", *arguments, stdout=printed)
    except CommandError as error:
        printed.write(f"! {error}")
    return printed.getvalue()


def test_an_imported_order_is_found_and_reported(tea: Any) -> None:
    create_order(number="signalled", guest_email="guest@example.com")
    imported(tea, "imported")
    imported(tea, "long ago", date_placed=timezone.now() - timedelta(days=8))
    assert found() == "imported\n! 1 order without an entry. --report records them."
    assert found("--report") == "imported\n1 order without an entry, 1 of them reported now.\n"
    entry = SendLogEntry.objects.get(reference="imported")
    assert (entry.status, entry.identity) == ("sent", "email:guest@example.com")
    assert found() == "0 orders without an entry.\n"


def test_an_order_that_cannot_be_reported_stops_no_other(tea: Any) -> None:
    imported(tea, "1").lines.update(quantity=0)
    imported(tea, "2")
    assert found("--report").startswith("1: cannot be reported (items[0].quantity")
    assert SendLogEntry.objects.filter(reference="2", status="sent").exists()


def test_their_number_of_queries_grows_by_parts_only(tea: Any, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        imported(tea, str(number))
    with django_assert_max_num_queries(11):
        found()
