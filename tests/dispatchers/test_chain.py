from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from django_vt import track
from django_vt.backends import locmem
from django_vt.delivery import claim
from django_vt.delivery.deliver import Delivery
from django_vt.dispatchers import queue
from django_vt.events import Event
from django_vt.exceptions import DeliveryError
from django_vt.identity import Identity
from django_vt.models import Endpoint, SendLogEntry

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "buyer@example.com"


@pytest.fixture(autouse=True)
def _no_dispatcher(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}


@pytest.fixture
def published() -> list[float]:
    return []


def record() -> SendLogEntry:
    entry = track(Event("wishlist"), identity=Identity(vtsid="abc"))
    assert entry is not None
    return entry


def refuse(*args: object) -> None:
    raise OperationalError(SECRET)


def test_a_run_delivers_what_is_due_and_ends_where_nothing_is_left():
    entry = record()
    assert queue.run("default") is None
    entry.refresh_from_db()
    assert entry.status == "sent"


def test_a_run_tells_when_the_next_is_worth_while(clock, monkeypatch):
    record()

    def fail(self: object, request: object) -> None:
        raise DeliveryError("timed-out")

    monkeypatch.setattr(locmem.LocMemBackend, "send", fail)
    assert queue.run("default") == pytest.approx(5, abs=1)


def test_a_run_that_takes_long_leaves_the_rest_to_the_next(monkeypatch):
    monkeypatch.setattr(queue, "LONGEST_RUN", -1.0)
    record()
    assert queue.run("default") == claim.SHORTEST_SLEEP
    assert locmem.outbox == []


def test_a_database_that_is_away_is_told_by_its_class_and_tried_again(monkeypatch, caplog):
    monkeypatch.setattr(Delivery, "run", refuse)
    assert queue.run("default") == claim.LONGEST_SLEEP
    assert [record.getMessage() for record in caplog.records] == [
        "The send log cannot be read, trying again: OperationalError"
    ]
    assert caplog.records[0].exc_info is None
    assert connection.connection is None


def test_of_all_who_want_the_next_run_one_publishes_it(clock, published):
    for _ in range(3):
        queue.go_on("default", 5.0, published.append)
    assert published == [5.0]


def test_of_two_who_read_the_same_plan_one_wins(clock):
    Endpoint.objects.create(account_id="acc123", address="https://app.vtcdn.net/event")
    first, second = Endpoint.objects.get(), Endpoint.objects.get()
    at = clock.advance(0.5)
    assert first.plan_wake(at) is True
    assert second.plan_wake(at) is False


def test_the_planned_run_plans_its_successor(clock, published):
    queue.go_on("default", 5.0, published.append)
    clock.advance(5)
    queue.go_on("default", 10.0, published.append)
    queue.go_on("default", 10.0, published.append)
    assert published == [5.0, 10.0]


def test_a_run_that_never_came_is_replaced_by_the_next_that_does(clock, published):
    queue.go_on("default", 60.0, published.append)
    clock.advance(3600)
    queue.go_on("default", 5.0, published.append)
    assert published == [60.0, 5.0]


def test_a_run_that_must_come_sooner_than_planned_is_published(clock, published):
    queue.go_on("default", 60.0, published.append)
    queue.go_on("default", 5.0, published.append)
    queue.go_on("default", 60.0, published.append)
    assert published == [60.0, 5.0]


def test_a_plan_that_is_a_moment_later_is_soon_enough(clock, published):
    queue.go_on("default", 5.0, published.append)
    queue.go_on("default", 4.99, published.append)
    assert published == [5.0]


def test_where_the_database_cannot_tell_the_next_run_is_published(monkeypatch, published):
    monkeypatch.setattr(Endpoint, "plan_wake", refuse)
    queue.go_on("default", 60.0, published.append)
    assert published == [60.0]
    assert connection.connection is None


def test_a_run_that_cannot_be_published_is_told_by_the_errors_class(caplog):
    queue.go_on("default", 5.0, refuse)
    assert [record.getMessage() for record in caplog.records] == [
        "The next delivery could not be scheduled: OperationalError; events wait"
    ]


def test_no_run_is_planned_so_late_that_rabbitmq_would_close_the_channel():
    assert claim.LONGEST_SLEEP <= 600
