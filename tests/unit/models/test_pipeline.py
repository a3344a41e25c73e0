"""psycopg 3's pipeline: all in one round trip, the values beside the statement and never in it.

Without PostgreSQL a driver is played, of which the tests say what it answers.
"""

from __future__ import annotations

import datetime
from enum import Enum
from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from django_vt.models import SendLogEntry, _pipeline
from django_vt.signals import order_placed
from tests.projects.shop.models import Order
from tests.support.ordering import BUYER, order

Status = Enum("Status", ["COMMAND_OK", "TUPLES_OK", "FATAL_ERROR", "PIPELINE_SYNC"])
OK, BAD = "ok", "bad"


class Lost(Exception):
    pass


class Refused(Exception):
    pass


class Wire:
    """libpq's side of a connection: what it is sent, and what it answers."""

    def __init__(self, *answers, flushes=0, busy=0):
        self.answers, self.flushes, self.busy = list(answers), flushes, busy
        self.sent, self.log, self.status = [], [], OK

    def send_query_params(self, statement, values):
        self.sent.append((statement, values))

    def flush(self):
        self.flushes -= 1
        return self.flushes >= 0

    def is_busy(self):
        self.busy -= 1
        return self.busy >= 0

    def get_result(self):
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        if answer == BAD:
            self.status = BAD
            return None
        return answer and result(answer)

    def __getattr__(self, name):
        return lambda: self.log.append(name)


def result(answer):
    status, *row = answer if isinstance(answer, tuple) else (answer,)
    return SimpleNamespace(status=status, ntuples=len(row), get_value=lambda line, column: row[0])


def wait(exchange):
    """As psycopg's `wait`: until the generator returns."""
    try:
        while True:
            next(exchange)
    except StopIteration as stopped:
        return stopped.value


def pipeline(wire):
    driver = SimpleNamespace(
        pq=SimpleNamespace(ExecStatus=Status, ConnStatus=SimpleNamespace(OK=OK)),
        waiting=SimpleNamespace(Wait=SimpleNamespace(R="R", RW="RW")),
        errors=SimpleNamespace(error_from_result=lambda result, encoding: Refused(encoding)),
        OperationalError=Lost,
    )
    opened = SimpleNamespace(info=SimpleNamespace(encoding="utf-8"), pgconn=wire, wait=wait)
    return _pipeline.Pipeline(SimpleNamespace(Database=driver, connection=opened))


DONE, ROW, NO_ROW, END = Status.COMMAND_OK, (Status.TUPLES_OK, b"7"), Status.TUPLES_OK, Status.PIPELINE_SYNC


@pytest.mark.parametrize(("answer", "row"), [(ROW, (7,)), (NO_ROW, None)])
def test_all_is_sent_at_once_and_the_values_are_beside_the_statement(answer, row):
    wire = Wire(DONE, None, answer, None, DONE, None, END, flushes=1, busy=2)
    moment = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.timezone.utc)
    cursor = pipeline(wire)
    cursor.execute("SAVEPOINT a; INSERT VALUES (%s, %s, %s, 0); RELEASE a", [BUYER, None, moment])
    assert wire.sent == [
        (b"SAVEPOINT a", None),
        (b"INSERT VALUES ($1, $2, $3, 0)", [BUYER.encode(), None, b"2026-11-23 12:00:00+00:00"]),
        (b"RELEASE a", None),
    ]
    assert cursor.fetchone() == row
    assert (wire.log[0], wire.log[-1]) == ("enter_pipeline_mode", "exit_pipeline_mode")
    cursor.close()


def test_the_first_error_is_raised_and_the_connection_stays_in_order():
    wire = Wire(DONE, None, Status.FATAL_ERROR, None, END)
    with pytest.raises(Refused):
        pipeline(wire).execute("SAVEPOINT a; INSERT VALUES (1)")
    assert wire.log[-1] == "exit_pipeline_mode"


@pytest.mark.parametrize(("answers", "error"), [([DONE, BAD], Lost), ([KeyboardInterrupt()], KeyboardInterrupt)])
def test_where_the_answer_is_not_complete_the_connection_is_closed(answers, error):
    """The next statement would take what is left of the answer for its own."""
    wire = Wire(*answers)
    with pytest.raises(error):
        pipeline(wire).execute("SAVEPOINT a")
    assert wire.log[-1] == "finish"


@pytest.mark.parametrize(
    ("driver", "vendor", "options", "supported", "possible"),
    [
        ("psycopg", "postgresql", {}, True, True),
        ("psycopg", "postgresql", {"server_side_binding": True}, True, True),
        ("psycopg", "postgresql", {}, False, False),
        ("psycopg", "postgresql", {"cursor_factory": "one of the project's own, which may do anything"}, True, False),
        ("psycopg2", "postgresql", {}, True, False),
        # One that speaks PostgreSQL's protocol: what its INSERT can do is not known.
        ("psycopg", "cockroachdb", {}, True, False),
    ],
)
def test_it_is_used_only_where_the_driver_is_known_to_have_it(driver, vendor, options, supported, possible):
    database = SimpleNamespace(__name__=driver, Pipeline=SimpleNamespace(is_supported=lambda: supported))
    wrapper = SimpleNamespace(Database=database, vendor=vendor, settings_dict={"OPTIONS": options})
    assert _pipeline.is_possible(wrapper) is possible


@pytest.mark.parametrize("logged", [True, False])
def test_django_counts_and_logs_what_it_sends_where_it_does_so_for_all(logged):
    names = {"make_debug_cursor": lambda raw: ("logged", raw), "make_cursor": lambda raw: ("plain", raw)}
    wrapper = SimpleNamespace(queries_logged=logged, Database=None, connection=None, **names)
    kind, raw = _pipeline.cursor(wrapper)
    assert (kind, type(raw)) == ("logged" if logged else "plain", _pipeline.Pipeline)


@pytest.mark.django_db(transaction=True)
def test_within_a_pipeline_of_the_shops_own_each_statement_has_its_own_answer():
    if not _pipeline.is_possible(connection):
        pytest.skip("it is psycopg 3 that has pipelines")
    with transaction.atomic():
        Order.objects.create(number="1", total=1)
        with connection.connection.pipeline():
            Order.objects.create(number="2", total=1)
            order_placed.send(sender=Order, **order(email=BUYER))
            Order.objects.create(number="3", total=1)
    assert set(Order.objects.values_list("number", flat=True)) == {"1", "2", "3"}
    assert SendLogEntry.objects.get().reference == "100023"
