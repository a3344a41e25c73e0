"""A shop that sets autocommit off, and commits by itself: its transaction is in no `atomic` block."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, connections, transaction

from django_vt.delivery import deliver_due
from django_vt.delivery.worker import Worker
from django_vt.dispatchers.queue import QueueDispatcher
from django_vt.models import SendLogEntry
from django_vt.signals import order_placed
from tests.projects.shop.models import Order
from tests.support.delivering import one, statuses
from tests.support.ordering import order, visitor
from tests.unit.recording.test_record_failures import DEADLOCK, failing

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


@pytest.fixture
def _no_autocommit_anywhere(_no_autocommit, monkeypatch) -> None:
    """As with `"AUTOCOMMIT": False` in DATABASES: of the connections to come as well."""
    monkeypatch.setitem(connection.settings_dict, "AUTOCOMMIT", False)


class Queue(QueueDispatcher):
    """Of a queue that can run nothing later."""

    def publish(self, using):
        raise AssertionError("nothing is published")

    publish_later = publish


def in_a_thread(call):
    """On a connection of its own, as a worker has."""

    def run():
        try:
            call()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.usefixtures("_no_autocommit_anywhere")
@pytest.mark.parametrize(
    "deliver",
    [
        lambda: Worker("default").run_once(),
        lambda: Queue().deliver("default", comes_back=False),
        lambda: call_command("send_pending"),
    ],
    ids=["thread", "queue", "command"],
)
def test_a_worker_commits_what_it_claims_and_what_came_of_it(deliver, script):
    one()
    transaction.commit()
    for _ in range(2):
        in_a_thread(deliver)
        transaction.rollback()  # to see what others have committed
    assert script.sizes == [1]
    assert statuses() == {"sent": 1}


@pytest.mark.usefixtures("_no_autocommit_anywhere")
def test_a_command_commits_what_it_changes(script):
    entry = one(status="failed", due_at=None)
    transaction.commit()
    in_a_thread(lambda: call_command("resend", str(entry.pk)))
    transaction.rollback()
    assert statuses() == {"sent": 1}


def test_in_the_shops_transaction_nothing_is_sent(script):
    one()
    with pytest.raises(RuntimeError, match="autocommit"):
        deliver_due()
    assert script.requests == []
