"""Two open transactions that signal one order: each wait is waited once, and no order is committed without an entry."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection, connections, transaction

from django_vt import track
from django_vt.events import Event
from django_vt.models import SendLogEntry
from django_vt.recording.record import dedup_key
from django_vt.signals import order_placed
from tests.projects.shop.models import Order
from tests.support.ordering import BUYER, PIXEL, order

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT = 1.0  # seconds, the least that MariaDB knows


@pytest.fixture(autouse=True)
def _manual(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}


class First(threading.Thread):
    """Signals the order first, and holds its transaction open until it is told to go back."""

    def __init__(self):
        super().__init__()
        self.has_signalled, self.may_end = threading.Event(), threading.Event()

    def run(self):
        try:
            with transaction.atomic():
                order_placed.send(sender=Order, **order(identity=PIXEL))
                self.has_signalled.set()
                self.may_end.wait(30)
                transaction.set_rollback(True)
        finally:
            connections.close_all()


class Second(threading.Thread):
    """Signals the same order, and commits it."""

    def run(self):
        try:
            place()
        finally:
            connections.close_all()


@contextmanager
def another_that_holds_the_order():
    first = First()
    first.start()
    first.has_signalled.wait(30)
    try:
        yield
    finally:
        first.may_end.set()
        first.join()


@pytest.fixture
def repeatable_read():
    """On MariaDB every look of a transaction sees what was there at its first; the server's own default."""
    options = connection.settings_dict["OPTIONS"]
    if connection.vendor != "mysql":
        pytest.skip("PostgreSQL refuses there to do anything about a row that is newer; SQLite knows one writer")
    connection.settings_dict["OPTIONS"] = {**options, "isolation_level": "repeatable read"}
    connection.close()
    yield
    connection.settings_dict["OPTIONS"] = options
    connection.close()


@pytest.mark.parametrize("identity", [None, PIXEL])
@pytest.mark.usefixtures("repeatable_read")
def test_an_order_that_another_has_committed_since_the_transaction_began_is_found_and_renewed(identity, caplog):
    def elsewhere():
        order_placed.send(sender=Order, **order(identity=identity))
        connections.close_all()

    with transaction.atomic():
        assert not SendLogEntry.objects.exists()
        other = threading.Thread(target=elsewhere)
        other.start()
        other.join(30)
        place()
    entry = SendLogEntry.objects.get()
    assert (entry.status, entry.identity) == ("pending", PIXEL.stored_form)
    assert caplog.messages == []


def limit(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


@transaction.atomic
def place(statement=None):
    if statement:
        limit(statement)
    order_placed.send(sender=Order, **order(email=BUYER, identity=PIXEL))
    Order.objects.create(number="100023", total=1)


LIMITS = {
    "postgresql": ["SET LOCAL lock_timeout = 1000", "SET LOCAL statement_timeout = 1000"],
    "mysql": ["SET innodb_lock_wait_timeout = 1"],
    "sqlite": ["PRAGMA busy_timeout = 1000"],
}[connection.vendor]


@pytest.fixture
def _deferred(monkeypatch):
    """SQLite's own way: only with it can a transaction be open before another writes."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        monkeypatch.setattr(connection, "transaction_mode", None)
        yield
        connection.close()
    elif connection.vendor == "mysql":
        yield
        limit("SET innodb_lock_wait_timeout = DEFAULT")
    else:
        yield


@pytest.mark.usefixtures("_deferred")
@pytest.mark.parametrize("statement", LIMITS)
def test_a_wait_that_is_exhausted_is_waited_once_and_the_shop_sees_it(statement):
    with another_that_holds_the_order():
        begun = time.monotonic()
        with pytest.raises(OperationalError):
            place(statement)
        assert time.monotonic() - begun < 1.8 * LIMIT
    assert not Order.objects.exists()
    assert not SendLogEntry.objects.exists()


@pytest.mark.usefixtures("_deferred")
@pytest.mark.parametrize("statement", LIMITS)
def test_of_an_event_that_is_no_order_it_is_told_and_the_shop_goes_on(statement, caplog):
    with another_that_holds_the_order(), transaction.atomic():
        limit(statement)
        with connection.execute_wrapper(waiting_for_the_order):
            assert track(Event("wishlist", reference="7"), identity=PIXEL) is None
    [message] = caplog.messages
    assert message.startswith("Could not record wishlist 7: OperationalError (")


def waiting_for_the_order(run, sql, params, many, context):
    """As if the event had the order's key."""
    if "INSERT INTO" in sql:
        key = dedup_key("acc123", "confirmation", "100023")
        params = [key if name == "dedup_key" else value for name, value in zip(columns(sql), params, strict=False)]
    return run(sql, params, many, context)


def columns(sql):
    return [name.strip(' "`') for name in sql.partition("(")[2].partition(")")[0].split(",")]


def test_a_second_signal_waits_for_the_first_and_then_has_the_entry():
    """The first is rolled back: the second's order is the one that is reported."""
    second = Second()
    with another_that_holds_the_order():
        second.start()
        second.join(0.3)
        assert second.is_alive()
    second.join(30)
    assert Order.objects.count() == SendLogEntry.objects.count() == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it is PostgreSQL that logs the statements that fail")
def test_the_server_does_not_have_the_buyers_address_in_the_statement_that_it_would_log():
    """What `pg_stat_activity` shows of a statement is what the log says of one that fails, as STATEMENT."""
    second, told = Second(), []
    with another_that_holds_the_order():
        second.start()
        while not told and second.is_alive():
            second.join(0.05)
            told = waiting_statements()
    second.join(30)
    [statement] = told
    assert "INSERT INTO" in statement
    assert BUYER not in statement
    assert SendLogEntry.objects.get().event["generic"]["email"] == BUYER


def waiting_statements():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return [query for (query,) in cursor.fetchall()]


class Till(threading.Thread):
    """Records two orders in one transaction; when it is undone, that is the shop's to see."""

    def __init__(self, *numbers, meet):
        super().__init__()
        self.numbers, self.meet, self.error = numbers, meet, None

    def run(self):
        try:
            with transaction.atomic():
                for number in self.numbers:
                    order_placed.send(sender=Order, **order(order_id=number, identity=PIXEL))
                    Order.objects.create(number=f"{number} of {self.name}", total=1)
                    with_the_other(self.meet)
        except OperationalError as error:
            self.error = error
        finally:
            connections.close_all()


def with_the_other(meet):
    try:
        meet.wait(1)
    except threading.BrokenBarrierError:
        return


def test_crosswise_every_committed_order_has_an_entry_or_the_shop_has_seen_an_error():
    meet = threading.Barrier(2)
    tills = [Till("A", "B", meet=meet), Till("B", "A", meet=meet)]
    for till in tills:
        till.start()
    for till in tills:
        till.join(60)
    assert any(till.error is None for till in tills)
    recorded = set(SendLogEntry.objects.values_list("reference", flat=True))
    assert recorded == {"A", "B"}
    assert Order.objects.count() == 2 * sum(till.error is None for till in tills)
