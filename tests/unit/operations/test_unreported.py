"""Orders that nobody signalled are found, and reported once."""

from __future__ import annotations

import threading
import time
import tracemalloc
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connections
from django.utils import timezone

from django_vt.delivery import deliver_due
from django_vt.models import SendLogEntry
from django_vt.operations import unreported
from django_vt.operations.unreported import Look, last_look
from django_vt.recording import record
from tests.support.delivering import configure, one, pending
from tests.support.ordering import confirmation
from tests.unit.management.commands.conftest import fails, run
from tests.unit.operations import shop_orders

pytestmark = pytest.mark.django_db

ORDERS = "tests.unit.operations.shop_orders."


@pytest.fixture(autouse=True)
def _shop(settings, nothing_is_sent_by_itself):
    configure(settings, ORDERS=f"{ORDERS}orders")
    yield
    shop_orders.placed.clear()
    shop_orders.asked.clear()


def look(**options):
    """A look at the last week, whole."""
    found = Look(timezone.now() - timedelta(days=7), timezone.now(), **options)
    return found, [order.order_id for order in found.run()]


def entry_of(number, **columns):
    """An entry as an order's has it."""
    key = record.dedup_key("acc123", "confirmation", number)
    return one(event_type="confirmation", reference=number, dedup_key=key, **columns)


@pytest.mark.parametrize("name", ["orders", "orders_async"])
def test_an_order_without_an_entry_is_found_and_the_others_are_not(clock, settings, name):
    configure(settings, ORDERS=f"{ORDERS}{name}")
    shop_orders.place("1", "2", "3")
    record.track(confirmation(order_id="2"))
    assert fails("find_unreported_orders").printed == "1\n3\n"
    assert SendLogEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("columns", "is_found"),
    [
        ({}, False),
        ({"status": "sent", "due_at": None}, False),
        ({"status": "failed", "due_at": None, "reason": "answered: 400"}, False),
        ({"status": "skipped", "due_at": None, "reason": "nobody"}, False),
        ({"status": "skipped", "due_at": None, "reason": "forgotten", "payload": "", "identity": ""}, False),
        ({"status": "skipped", "due_at": None, "reason": "invalid: ACCOUNT_ID"}, True),
    ],
)
def test_what_counts_as_reported(columns, is_found):
    shop_orders.place("1")
    entry_of("1", **columns)
    assert (look()[1] == ["1"]) is is_found


def test_an_order_that_was_recorded_as_invalid_is_found_though_its_entry_has_no_key():
    shop_orders.place("1")
    one(event_type="confirmation", reference="1", status="skipped", due_at=None, reason="invalid: total")
    assert look()[1] == ["1"]


def test_with_nothing_unreported_it_is_content():
    shop_orders.place("1")
    record.track(confirmation(order_id="1"))
    assert run("find_unreported_orders") == "0 orders without an entry.\n"


def test_it_exits_with_1_for_cron_and_says_what_to_do():
    shop_orders.place("1")
    error = fails("find_unreported_orders")
    assert (error.returncode, str(error)) == (1, "1 order without an entry. --report records them.")


def test_days_is_how_far_it_looks_back(clock):
    shop_orders.place("1", days_ago=7.5)
    assert run("find_unreported_orders")
    assert fails("find_unreported_orders", "--days=8").printed == "1\n"
    assert shop_orders.asked[0] == (clock.now - timedelta(days=7), clock.now)


def test_looking_further_back_than_entries_are_kept_is_said():
    assert "may have been purged" in run("find_unreported_orders", "--days=91")
    assert "purged" not in run("find_unreported_orders", "--days=90")


def test_reported_orders_are_recorded_and_sent(script):
    shop_orders.place("1", "2")
    record.track(confirmation(order_id="1", email="buyer@example.com"))
    said = run("find_unreported_orders", "--report")
    assert said == "2\n1 order without an entry, 1 of them reported now.\n"
    assert run("find_unreported_orders", "--report") == "0 orders without an entry, 0 of them reported now.\n"
    deliver_due()
    assert sum(script.sizes) == 2
    assert SendLogEntry.objects.get(reference="2").identity == "email:canary@example.com"


def test_an_order_that_the_shop_names_twice_is_one(monkeypatch):
    monkeypatch.setattr(shop_orders, "placed", {"1": timezone.now() - timedelta(days=1)})
    monkeypatch.setattr(shop_orders, "TIMES", 2)
    assert look()[1] == ["1"]


def test_what_before_record_drops_is_not_said_to_be_reported(settings):
    configure(settings, BEFORE_RECORD="tests.unit.operations.test_unreported.drop")
    shop_orders.place("1")
    assert str(fails("find_unreported_orders", "--report")) == (
        "1 order without an entry, 0 of them reported now. See above why not."
    )


def drop(event, identity, request):
    return None


def test_what_can_still_not_be_sent_is_not_said_to_be_reported(settings):
    configure(settings, ACCOUNT_ID="")
    shop_orders.place("1")
    found, _numbers = look(report=True)
    assert (found.found, found.reported, found.left) == (1, 0, 1)


def test_an_unusable_order_is_named_with_its_problem_and_stops_no_other(settings):
    configure(settings, ORDERS=f"{ORDERS}with_an_unusable_one")
    error = fails("find_unreported_orders", "--report")
    assert error.printed == "1\n2: cannot be reported (quantity: must be above 0)\n3\n"
    assert str(error).startswith("3 orders without an entry, 2 of them reported now.")


@pytest.mark.parametrize(
    ("orders", "said"),
    [
        (None, 'DJANGO_VT["ORDERS"] does not say which the shop\'s orders are.'),
        (f"{ORDERS}failing", "ORDERS raised LookupError."),
        (f"{ORDERS}invalid", "ORDERS failed: quantity: must be above 0"),
        (f"{ORDERS}of_another_kind", "ORDERS gave a dict where it is to give a Confirmation."),
        (f"{ORDERS}no_such_function", "ORDERS raised ImportError."),
    ],
)
def test_orders_that_cannot_be_told_are_said_without_a_word_of_theirs(settings, orders, said):
    configure(settings, ORDERS=orders)
    error = fails("find_unreported_orders")
    assert said in str(error)
    assert "canary" not in f"{error!r} {error.__cause__!r}"
    assert error.__suppress_context__


def test_an_address_for_an_order_number_is_not_printed():
    shop_orders.place("canary@example.com")
    assert fails("find_unreported_orders").printed == "an order whose number cannot be shown\n"


def test_switched_off_nothing_is_reported(settings):
    configure(settings, ENABLED=False)
    shop_orders.place("1")
    assert 'DJANGO_VT["ENABLED"] is False' in str(fails("find_unreported_orders", "--report"))
    assert not SendLogEntry.objects.exists()


def test_an_adapter_brings_the_orders_of_its_shop(settings, monkeypatch):
    configure(settings, ORDERS=None)
    assert not unreported.are_known()
    monkeypatch.setattr(apps.get_app_config("shop"), "django_vt_orders", f"{ORDERS}orders", raising=False)
    shop_orders.place("1")
    assert unreported.are_known()
    assert look()[1] == ["1"]


def test_the_orders_of_all_adapters_are_looked_through_beside_those_of_the_setting(monkeypatch):
    monkeypatch.setattr(apps.get_app_config("shop"), "django_vt_orders", f"{ORDERS}by_phone", raising=False)
    monkeypatch.setattr(apps.get_app_config("auth"), "django_vt_orders", f"{ORDERS}with_an_unusable_one", raising=False)
    shop_orders.place("shop-1")
    assert look()[1] == ["shop-1", "1", "2", "3", "phone-1"]


def test_the_last_look_is_remembered(clock):
    assert last_look() is None
    shop_orders.place("1", "2", "3")
    look()
    seen = last_look()
    assert (seen.at, seen.since) == (clock.now, clock.now - timedelta(days=7))
    assert (seen.found, seen.left) == (3, 3)
    look(report=True)
    seen = last_look()
    assert (seen.found, seen.reported, seen.left, str(seen)) == (3, 3, 0, "3 unreported orders")
    assert unreported.OrdersLook.objects.count() == 1


def test_37_of_10_000_are_found_quickly_and_in_little_memory(settings):
    configure(settings, ORDERS=f"{ORDERS}many")
    forgotten = set(map(str, range(0, shop_orders.MANY, 271)))
    assert len(forgotten) == 37
    numbers = [str(number) for number in range(shop_orders.MANY) if str(number) not in forgotten]
    template = pending()[0]
    fields = {field.attname: getattr(template, field.attname) for field in template._meta.concrete_fields[1:]}
    fields.pop("dedup_key")
    SendLogEntry.objects.bulk_create(
        (SendLogEntry(**fields, dedup_key=record.dedup_key("acc123", "confirmation", each)) for each in numbers),
        batch_size=500,
    )
    begun = time.monotonic()
    found, numbers = look()
    assert time.monotonic() - begun < 10
    assert (found.looked_at, set(numbers)) == (shop_orders.MANY, forgotten)
    tracemalloc.start()
    try:
        look()
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.django_db(transaction=True)
def test_two_that_report_at_the_same_time_report_once(settings):
    shop_orders.place(*map(str, range(30)))
    both = threading.Barrier(2)

    def report():
        try:
            orders = Look(timezone.now() - timedelta(days=7), timezone.now(), report=True)
            both.wait(20)
            list(orders.run())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=report) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(SendLogEntry.objects.values_list("reference", flat=True)) == sorted(map(str, range(30)))
