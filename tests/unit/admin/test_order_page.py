"""Between an order of the shop's and its entries there is a way, in both directions."""

from __future__ import annotations

import html
import logging

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.template import Context, Template
from django.urls import path

from django_vt.admin import OrderEntries, SendLogEntryAdmin
from django_vt.admin.order_page import SHOWN, entries_of_order
from django_vt.models import SendLogEntry
from tests.projects.shop.models import Order
from tests.support.delivering import configure
from tests.support.people import CANARY, url
from tests.unit.admin.conftest import PEOPLE, VIEW

HERE = "tests.unit.admin.test_order_page."


class OrderAdmin(OrderEntries, admin.ModelAdmin):
    """As a shop writes it."""


site = admin.AdminSite(name="admin")
site.register(Order, OrderAdmin)
site.register(SendLogEntry, SendLogEntryAdmin)
urlpatterns = [path("admin/", site.urls)]


def page_of(order_id):
    return f"/orders/{order_id}/"


async def page_of_async(order_id):
    return page_of(order_id)


def elsewhere(order_id):
    return f"https://shop.example.com/orders/{order_id}/"


def nowhere(_order_id):
    return None


def number(_order_id):
    return 7


def script(_order_id):
    return "javascript:alert(1)"


def other_site(_order_id):
    return "//evil.example.com/"


def failing(_order_id):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM no_such_table")


@pytest.fixture
def manager(django_user_model, client, settings):
    settings.ROOT_URLCONF = __name__
    client.force_login(django_user_model.objects.create_superuser("boss"))
    return client


def shown(response):
    return " ".join(html.unescape(response.content.decode()).replace("\xa0", " ").split())


def rendered(order_id, user=None):
    source = "{% load vt_orders %}{% vt_order_entries order_id %}"
    return " ".join(html.unescape(Template(source).render(Context({"order_id": order_id, "user": user}))).split())


@pytest.mark.parametrize(
    ("function", "address"),
    [("page_of", "/orders/100023/"), ("page_of_async", "/orders/100023/"), ("elsewhere", elsewhere("100023"))],
)
def test_an_entry_leads_to_its_order(viewer, record, settings, function, address):
    configure(settings, ORDER_URL=f"{HERE}{function}")
    entry = record("100023")
    assert f'100023 <a href="{address}">Open the order</a>' in shown(viewer.get(url("change", entry.pk)))


@pytest.mark.parametrize("function", ["nowhere", "number", "script", "other_site"])
def test_what_is_no_address_of_a_page_is_no_link(viewer, record, settings, function):
    configure(settings, ORDER_URL=f"{HERE}{function}")
    assert "Open the order" not in shown(viewer.get(url("change", record("100023").pk)))


@pytest.mark.parametrize("function", ["failing", "missing"])
def test_a_function_of_the_shop_s_that_fails_costs_the_link_alone(viewer, record, settings, caplog, function):
    configure(settings, ORDER_URL=f"{HERE}{function}")
    page = shown(viewer.get(url("change", record("100023").pk)))
    assert "100023" in page
    assert "Open the order" not in page
    [line] = [line for line in caplog.records if line.levelno == logging.WARNING and "ORDER_URL" in line.message]
    assert "no_such_table" not in line.message


def test_what_is_no_order_or_is_masked_leads_nowhere(viewer, log_in, record, settings):
    configure(settings, ORDER_URL=f"{HERE}page_of")
    login, named = record("77", event_type="login"), record(CANARY)
    for entry in (login, named, record("")):
        assert "Open the order" not in shown(viewer.get(url("change", entry.pk)))
    assert "Open the order" in shown(log_in(VIEW, PEOPLE).get(url("change", named.pk)))


def test_an_order_s_page_shows_its_entries_with_links(manager, record):
    order = Order.objects.create(number="100023", total=1)
    record("100023", status="failed", reason="answered: 400", email="other@example.com")
    entry = record("100023", status="sent")
    page = shown(manager.get(f"/admin/shop/order/{order.pk}/change/"))
    section = page[page.index('<section class="module vt-order"') :]
    assert section.count('class="vt-status') == 2
    assert "Vibetrace refused it (answer 400)" in section
    assert f'<a href="{url("change", entry.pk)}">' in section
    assert "canary" not in section


def test_a_new_order_s_page_has_none(manager):
    assert "vt-order" not in shown(manager.get("/admin/shop/order/add/"))


def test_the_order_s_own_number_is_what_was_passed(manager):
    class Numbered:
        number, pk = "A-7", 1

    class Plain:
        pk = 8

    of = OrderAdmin(Order, site).order_number
    assert (of(Numbered()), of(Plain())) == ("A-7", "8")


@pytest.mark.parametrize("user", [None, AnonymousUser()])
def test_who_may_not_see_the_send_log_reads_what_became_of_the_order_without_a_link(record, user):
    record("100023", status="failed", reason="invalid: items[0].id")
    told = rendered("100023", user)
    assert "Article 1 of the order has no number that can be used" in told
    assert "<a " not in told


def test_where_the_admin_has_no_address_there_is_no_link(record, settings, django_user_model):
    settings.ROOT_URLCONF = "tests.unit.admin.no_urls"
    record("100023", status="sent")
    assert "<a " not in rendered("100023", django_user_model.objects.create_superuser("boss"))


def test_the_newest_few_are_shown(record):
    entries = [record("7", event_type="refund") for _time in range(SHOWN + 2)]
    assert len(entries_of_order(7, None)) == SHOWN
    assert rendered("7").count("<li>") == SHOWN
    assert entries


@pytest.mark.django_db
def test_an_order_without_an_entry_says_so():
    assert "Nothing was recorded for this order." in rendered("100023")


@pytest.mark.django_db
def test_where_the_send_log_cannot_be_read_the_order_s_page_opens_all_the_same(caplog, monkeypatch):
    monkeypatch.setattr(SendLogEntry._meta, "db_table", "no_such_table")
    assert "The send log could not be read." in rendered("100023")
    assert [line.message for line in caplog.records if line.levelno == logging.ERROR]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
