"""A shop that sets autocommit off, and commits by itself: its transaction is in no `atomic` block."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, OperationalError, transaction

from django_vt.models import SendLogEntry
from django_vt.signals import order_placed
from tests.ordering import order, visitor
from tests.shop.models import Order
from tests.test_outbox_failures import DEADLOCK, failing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_autocommit(transactional_db, settings) -> Iterator[None]:
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}
    transaction.set_autocommit(False)
    yield
    transaction.rollback()
    transaction.set_autocommit(True)


def test_the_entry_is_rolled_back_and_kept_with_the_order():
    for end in (transaction.rollback, transaction.commit):
        Order.objects.create(number="100023", total=1)
        order_placed.send(sender=Order, **order(request=visitor()))
        end()
        transaction.rollback()
        assert Order.objects.exists() == SendLogEntry.objects.exists() == (end is transaction.commit)


@pytest.mark.parametrize("error", [OperationalError, IntegrityError])
def test_an_error_in_the_insert_costs_the_order_nothing(error, caplog):
    Order.objects.create(number="100023", total=1)
    with failing({"INSERT INTO": error}):
        order_placed.send(sender=Order, **order(request=visitor()))
    transaction.commit()
    assert Order.objects.exists()
    assert caplog.messages == [f"Could not record confirmation 100023: {error.__name__}"]


def test_a_transaction_that_is_gone_is_raised_too():
    with pytest.raises(OperationalError, match="1213"), failing(DEADLOCK):
        order_placed.send(sender=Order, **order(request=visitor()))
