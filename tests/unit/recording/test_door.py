"""The one door: whatever LOGGING has silenced is heard, and no open transaction suffers from the shop's code."""

from __future__ import annotations

import logging
import logging.config
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test import Client

from django_vt.adapters import report
from django_vt.models import SendLogEntry
from django_vt.recording import door, receivers
from django_vt.recording.shield import is_doomed
from django_vt.signals import order_placed
from tests.projects.shop.models import Order
from tests.support.ordering import BUYER, order, visitor

pytestmark = pytest.mark.django_db(transaction=True)


def refuse_inserts(run, sql, params, many, context):
    if "INSERT INTO" in sql and "sendlogentry" in sql:
        raise OperationalError
    return run(sql, params, many, context)


@pytest.fixture
def _silenced():
    """As `runserver` does: it sets up logging a second time, when our loggers are there."""
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})
    assert logging.getLogger("django_vt.recording").disabled
    yield
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


@pytest.mark.usefixtures("_silenced")
def test_what_disable_existing_loggers_has_silenced_is_heard(caplog):
    with connection.execute_wrapper(refuse_inserts):
        order_placed.send(sender=None, **order(request=visitor()))
    assert "Could not record confirmation 100023: OperationalError" in caplog.messages


@pytest.mark.usefixtures("_silenced")
def test_a_processs_first_request_has_all_of_ours_heard_and_nobody_elses():
    receivers.connect()
    Client().get("/")
    loggers = [logger for logger in logging.root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    names = {logger.name for logger in loggers if logger.disabled}
    assert [name for name in names if name.startswith("django_vt")] == []
    assert "django.request" in names


def fail_on(alias):
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")


@pytest.fixture
def _aliases(other_database):
    """The test may query both."""


@pytest.mark.usefixtures("_aliases")
def test_a_transaction_on_another_database_is_whole_too(other_database):
    def make():
        SendLogEntry.objects.using(other_database).create(event_type="half", created_at="2026-01-01T00:00:00Z")
        fail_on(other_database)

    with transaction.atomic(using=other_database), transaction.atomic():
        Order.objects.create(number="1", total=1)
        report(make, reference="1")
    assert Order.objects.exists()
    assert not SendLogEntry.objects.using(other_database).exists()


def test_an_order_that_breaks_no_rule_costs_no_savepoint_more(django_assert_num_queries):
    expected = {"postgresql": 1, "sqlite": 3, "mysql": 4}[connection.vendor]
    items = [("a", 1), {"id": "b", "quantity": 2}]
    with transaction.atomic():
        Order.objects.create(number="100023", total=1)
        with django_assert_num_queries(expected):
            order_placed.send(sender=None, **order(email=BUYER, request=visitor(), items=items))


@pytest.mark.parametrize(
    ("state", "doomed"),
    [
        ({"vendor": "postgresql", "status": 3}, True),
        ({"vendor": "postgresql", "status": 4}, True),
        ({"vendor": "postgresql", "status": 2}, False),
        ({"vendor": "postgresql", "status": 3, "in_atomic_block": False}, False),
        ({"vendor": "postgresql", "status": 3, "in_atomic_block": False, "autocommit": False}, True),
        ({"vendor": "postgresql", "status": 2, "needs_rollback": True}, True),
        ({"vendor": "sqlite", "in_transaction": False}, True),
        ({"vendor": "sqlite", "in_transaction": True}, False),
        ({"vendor": "sqlite", "in_transaction": False, "in_atomic_block": False}, False),
        ({"vendor": "mysql"}, False),
    ],
)
def test_a_transaction_is_known_to_be_beyond_saving(monkeypatch, state, doomed):
    driver = SimpleNamespace(
        info=SimpleNamespace(transaction_status=state.pop("status", None)),
        in_transaction=state.pop("in_transaction", None),
    )
    wrapper = {"needs_rollback": False, "in_atomic_block": True, "autocommit": True, "connection": driver, **state}
    monkeypatch.setitem(vars(connections), "_played", None)
    monkeypatch.setattr(type(connections), "__getitem__", lambda self, alias: SimpleNamespace(**wrapper))
    assert is_doomed("default") is doomed
    wrapper["connection"] = None
    assert is_doomed("default") is wrapper["needs_rollback"]


def test_where_it_was_broken_before_nothing_is_sent_to_the_database(caplog):
    sent = []

    def note(run, sql, params, many, context):
        sent.append(sql)
        return run(sql, params, many, context)

    with transaction.atomic():
        transaction.set_rollback(True)
        with connection.execute_wrapper(note):
            order_placed.send(sender=None, **order(request=visitor(), items=(1 / 0 for _ in "a")))
    assert sent == []
    assert caplog.messages == ["Could not record confirmation 100023: TransactionManagementError"]


def test_savepoints_are_those_of_open_transactions_and_of_the_entrys_own():
    with door.savepoints("default"):
        assert connection.in_atomic_block
    assert not connection.in_atomic_block
