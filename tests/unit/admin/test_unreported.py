"""Staff see how many orders nobody has signalled, and have them reported; confirmed, and recorded in the history."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages

from django_vt.admin import filters
from django_vt.models import OrdersLook, SendLogEntry
from django_vt.operations.unreported import Look, last_look
from tests.support.delivering import configure
from tests.support.people import url
from tests.unit.operations import shop_orders

ORDERS = "tests.unit.operations.shop_orders."


@pytest.fixture
def orders_known(settings):
    configure(settings, ORDERS=f"{ORDERS}orders")
    yield shop_orders.place
    shop_orders.placed.clear()
    shop_orders.asked.clear()


def shown(response):
    return " ".join(html.unescape(response.content.decode()).replace("\xa0", " ").split())


def overview(client):
    filters.forget()
    return shown(client.get(url("changelist")))


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def looked(clock, **options):
    list(Look(clock.now - timedelta(days=30), clock.now, **options).run())


def test_where_orders_are_not_known_the_overview_says_nothing_of_them(operator):
    assert "nreported" not in overview(operator)
    page = shown(operator.get(url("unreported")))
    assert "The settings do not say which the shop's orders are." in page
    assert "Look again" not in page


def test_where_nobody_has_looked_the_overview_says_so_with_a_link(operator, orders_known):
    told = overview(operator)
    assert "Nobody has looked for unreported orders yet." in told
    assert f'<a href="{url("unreported")}">Unreported orders</a>' in told


def test_the_overview_says_how_many_there_were_at_the_last_look_and_when_that_was(operator, orders_known, clock):
    orders_known("1", "2", "3")
    looked(clock)
    clock.advance(240)
    assert "3 orders were unreported at the last look, 4 minutes ago." in overview(operator)
    page = shown(operator.get(url("unreported")))
    assert "It looked at orders since 10/24/2026 15:00:00." in page


def test_a_look_from_the_page_goes_as_far_back_lists_them_and_reports_none(operator, orders_known, clock):
    looked(clock)
    orders_known(*(str(number) for number in range(12)), days_ago=29)
    page = shown(operator.post(url("unreported")))
    assert "12 orders were unreported at the last look" in page
    assert page.count("<li>") >= 10
    assert "and 2 more" in page
    assert "Yes, report them" in page
    assert last_look().left == 12
    assert not SendLogEntry.objects.exists()
    assert shop_orders.asked[-1] == (clock.now - timedelta(days=30), clock.now)


def test_they_are_reported_once_that_is_confirmed(operator, orders_known):
    orders_known("1", "2")
    response = operator.post(url("unreported"), {"confirmed": "yes"})
    assert (response.status_code, response.url) == (302, url("unreported"))
    assert said(response) == ["2 orders were reported."]
    assert sorted(SendLogEntry.objects.values_list("reference", flat=True)) == ["1", "2"]
    [line] = LogEntry.objects.all()
    assert (line.get_change_message(), line.object_repr) == ("2 orders were reported.", "2 unreported orders")
    assert "0 orders were unreported at the last look" in overview(operator)


def test_with_none_to_report_there_is_nothing_to_confirm(operator, orders_known):
    page = shown(operator.post(url("unreported")))
    assert "0 orders were unreported" in page
    assert "Yes, report them" not in page


def test_of_several_accounts_one_may_be_chosen(operator, orders_known, settings):
    configure(settings, ACCOUNT_ID={"one.ro": "acc-ro", "one.bg": "acc-bg"})
    orders_known("1")
    filters.forget()
    assert '<option value="">all</option> <option>acc-bg</option>' in shown(operator.get(url("unreported")))
    asked = shown(operator.post(url("unreported"), {"account": "acc-bg"}))
    assert '<input type="hidden" name="account" value="acc-bg">' in asked
    operator.post(url("unreported"), {"account": "acc-bg", "confirmed": "yes"})
    assert SendLogEntry.objects.get().account_id == "acc-bg"
    assert "acc-bg: 0 orders were unreported" in overview(operator)
    assert list(OrdersLook.objects.values_list("account_id", "found", "reported")) == [("acc-bg", 1, 1)]


def test_an_account_that_the_settings_do_not_name_is_refused(operator, orders_known, record):
    record(account_id="production")
    for account in ("production", "acc-typo"):
        assert operator.post(url("unreported"), {"account": account, "confirmed": "yes"}).status_code == 400


def test_who_may_only_look_sees_the_count_and_reports_nothing(viewer, orders_known):
    orders_known("1")
    page = shown(viewer.get(url("unreported")))
    assert "Nobody has looked" in page
    assert "Look again" not in page
    assert viewer.post(url("unreported"), {"confirmed": "yes"}).status_code == 403
    assert not SendLogEntry.objects.exists()


def test_who_may_not_see_the_log_sees_nothing(log_in, orders_known):
    assert log_in().get(url("unreported")).status_code == 403


def test_switched_off_nothing_is_reported_and_that_is_said(operator, orders_known, settings):
    configure(settings, ENABLED=False)
    orders_known("1")
    response = operator.post(url("unreported"), {"confirmed": "yes"})
    assert said(response) == ["Nothing was reported: recording is switched off in the settings."]
    assert not OrdersLook.objects.exists()


def test_orders_that_cannot_be_told_are_said_without_a_word_of_theirs(operator, settings):
    configure(settings, ORDERS=f"{ORDERS}failing")
    response = operator.post(url("unreported"))
    [words] = said(response)
    assert words == "The shop's orders could not be told. The command find_unreported_orders says why."


def test_an_order_number_that_may_be_an_address_is_not_shown(operator, orders_known):
    orders_known("canary@example.com")
    page = shown(operator.post(url("unreported")))
    assert "an order whose number cannot be shown" in page
    assert "canary" not in page
