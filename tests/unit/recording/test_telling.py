"""A log that raises, or that breaks the order's transaction: no order is lost for what could not be said."""

from __future__ import annotations

import logging

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction

from django_vt.models import SendLogEntry
from django_vt.recording import event_loop, receivers
from django_vt.signals import order_placed
from tests.projects.shop.models import Order
from tests.support.ordering import order, visitor

pytestmark = pytest.mark.django_db(transaction=True)


class Handler(logging.Handler):
    """Writes into a database, say."""

    def emit(self, record):
        raise OSError("no space left on device")


class Querying(logging.Handler):
    """Its table is missing."""

    def emit(self, record):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO nowhere VALUES (1)")


def filter_of_the_projects(record):
    return bool(record.request.user)  # no record of ours has a request


@pytest.fixture
def log():
    logger = logging.getLogger("django_vt")
    handlers, filters = [*logger.handlers], [*logger.filters]
    yield logger
    logger.handlers[:], logger.filters[:] = handlers, filters


def fail(event, identity, request):
    raise LookupError


def place(**changes):
    with transaction.atomic():
        Order.objects.create(number="100023", total=1)
        order_placed.send(sender=None, **order(**{"request": visitor(), **changes}))


def filtering_handler():
    handler = logging.NullHandler()
    handler.handle = handler.filter
    handler.addFilter(filter_of_the_projects)
    return handler


@pytest.mark.parametrize("make", [Handler, filtering_handler])
@pytest.mark.parametrize(
    "changes", [{"items": 5}, {"items": [("a", 0), ("b", 1)]}, {"e_mail": "x"}, {"extra": {"note": object()}}]
)
def test_what_the_log_cannot_take_costs_no_order(log, monkeypatch, make, changes):
    monkeypatch.setattr(receivers, "_told_of", set())
    log.addHandler(make())
    place(**changes)
    assert Order.objects.exists()
    assert SendLogEntry.objects.get().reference == "100023"


def test_nor_does_it_on_an_event_loop(log, monkeypatch):
    monkeypatch.setattr(event_loop, "_warned", type(event_loop._warned)())
    log.addHandler(Handler())

    async def checkout():
        order_placed.send(sender=None, **order(request=visitor()))

    async_to_sync(checkout)()
    assert SendLogEntry.objects.count() == 1


def test_what_cannot_be_recorded_is_no_error_of_the_shops_though_the_log_cannot_say_so(log, settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "BEFORE_RECORD": f"{__name__}.fail"}
    log.addHandler(Handler())
    place()
    assert Order.objects.exists()


@pytest.mark.parametrize("changes", [{}, {"items": 5}])
def test_an_order_whose_transaction_the_log_has_broken_is_whole_or_the_shop_has_seen_an_error(log, settings, changes):
    if not changes:
        settings.DJANGO_VT = {**settings.DJANGO_VT, "BEFORE_RECORD": f"{__name__}.fail"}
    log.addHandler(Querying())
    if connection.vendor == "postgresql":
        with pytest.raises(Exception):  # noqa: B017, PT011 - of any class
            place(**changes)
    else:
        place(**changes)
    assert Order.objects.exists() == (connection.vendor != "postgresql")
