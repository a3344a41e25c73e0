"""django-tenants: each tenant's orders are recorded in its schema, and sent from there."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django_tenants.utils import schema_context

from django_vt import track
from django_vt.backends import locmem
from django_vt.events import Confirmation, Item
from django_vt.models import SendLogEntry
from tests.tenants.shops.models import Shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.tenants]

SCHEMAS = ("one", "two")


@pytest.fixture
def shops() -> Iterator[None]:
    with schema_context("public"):
        for name in SCHEMAS:
            Shop.objects.create(name=name, schema_name=name)
    locmem.outbox.clear()
    yield
    connection.set_schema_to_public()
    for shop in Shop.objects.all():
        shop.delete(force_drop=True)


def place(schema: str, number: str) -> None:
    with schema_context(schema):
        track(Confirmation(number, "25.00", [Item("TEA-1", 1)], email="buyer@example.com"))


def statuses(schema: str) -> list[str]:
    with schema_context(schema):
        return list(SendLogEntry.objects.values_list("status", flat=True))


def test_the_recipe_sends_the_orders_of_all_tenants(shops: None) -> None:
    for schema in SCHEMAS:
        place(schema, "100023")
    assert [statuses(schema) for schema in SCHEMAS] == [["pending"], ["pending"]]
    call_command("all_tenants_command", "send_pending", stdout=StringIO())
    assert [statuses(schema) for schema in SCHEMAS] == [["sent"], ["sent"]]
    assert len(locmem.outbox) == 2


def test_one_tenant_is_looked_at_by_its_schema(shops: None, capsys: Any) -> None:
    place("two", "100023")
    call_command("tenant_command", "send_pending", schema_name="two")
    assert (statuses("one"), statuses("two")) == ([], ["sent"])


def test_a_dispatcher_that_would_work_in_public_is_an_error(settings: Any) -> None:
    assert [each for each in run_checks(tags=["django_vt"]) if each.id == "django_vt.E012"] == []
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": "django_vt.dispatchers.thread.ThreadDispatcher"}
    [error] = [each for each in run_checks(tags=["django_vt"]) if each.id == "django_vt.E012"]
    assert "all_tenants_command send_pending" in str(error.hint)
