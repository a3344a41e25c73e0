from __future__ import annotations

import sys
import threading
import types
from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection

from django_vt import dispatchers, track
from django_vt.backends import locmem
from django_vt.delivery import claim
from django_vt.delivery.deliver import Delivery
from django_vt.dispatchers import _background, queue
from django_vt.events import Event
from django_vt.exceptions import DeliveryError
from django_vt.identity import Identity
from django_vt.models import Endpoint, SendLogEntry

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "buyer@example.com"


# A dispatcher for a queue of this file's own, whole.


class ListDispatcher(queue.QueueDispatcher):
    """Its queue is a list of (database, seconds)."""

    tasks: list[tuple[str, float]] = []
    errors: list[Exception] = []
    closed: list[threading.Thread] = []

    def publish(self, using: str) -> None:
        self.publish_later(using, 0)

    def publish_later(self, using: str, seconds: float) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.tasks.append((using, seconds))

    def close(self) -> None:
        self.closed.append(threading.current_thread())


# And what holds of it, as of every other.


@pytest.fixture(autouse=True)
def own(settings, monkeypatch) -> Iterator[ListDispatcher]:
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": f"{__name__}.ListDispatcher"}
    monkeypatch.setattr(_background, "LINGER", 0.0)
    monkeypatch.setattr(queue, "FIRST_WAIT", 0.001)
    for noted in (ListDispatcher.tasks, ListDispatcher.errors, ListDispatcher.closed):
        noted.clear()
    yield ListDispatcher()
    ListDispatcher.publishers.stop(10)
    ListDispatcher.publishers.forget()


def published() -> list[tuple[str, float]]:
    """What is in the queue, once the publisher's thread has ended."""
    for running in threading.enumerate():
        if running.name.startswith("django-vt-publish"):
            running.join(10)
    return ListDispatcher.tasks


def record() -> SendLogEntry:
    entry = track(Event("wishlist", {"note": SECRET}), identity=Identity(vtsid="abc"))
    assert entry is not None
    return entry


def refuse(*args: object) -> None:
    raise OperationalError(SECRET)


def fail(self: object, request: object) -> None:
    raise DeliveryError("timed-out")


def test_a_dispatcher_that_does_not_say_how_to_publish_cannot_be_made():
    class Silent(queue.QueueDispatcher):
        pass

    with pytest.raises(TypeError, match="publish"):
        Silent()  # type: ignore[abstract]


def test_an_event_becomes_a_task_that_names_the_database_and_another_thread_publishes_it():
    record()
    assert published() == [("default", 0)]
    assert threading.current_thread() not in ListDispatcher.closed
    assert locmem.outbox == []


def test_a_process_begins_with_a_wake(own):
    own.start("default")
    assert published() == [("default", 0)]


def test_its_task_delivers_what_is_due(own):
    entry = record()
    own.deliver()
    entry.refresh_from_db()
    assert entry.status == "sent"


def test_its_task_comes_back_once_for_what_failed(own, monkeypatch, clock):
    record()
    published().clear()
    monkeypatch.setattr(locmem.LocMemBackend, "send", fail)
    for _ in range(3):
        own.deliver("default")
    [(using, seconds)] = published()
    assert (using, seconds) == ("default", pytest.approx(5, abs=1))


def test_a_queue_that_can_run_nothing_later_is_not_asked_to(own, monkeypatch):
    record()
    published().clear()
    monkeypatch.setattr(locmem.LocMemBackend, "send", fail)
    own.deliver("default", comes_back=False)
    assert published() == []


def test_what_fails_is_published_again_until_it_is_and_told_once(own, caplog):
    caplog.set_level("INFO", "django_vt")
    own.errors += [ConnectionError("amqp://user:password@broker"), OSError(), OSError()]
    own.wake("default")
    assert published() == [("default", 0)]
    assert [record.getMessage() for record in caplog.records] == [
        "No worker could be woken, trying again: ConnectionError; events wait",
        "Workers can be woken again",
    ]
    assert len(ListDispatcher.closed) >= 3


def test_the_waits_between_attempts_grow_to_a_minute(own, monkeypatch):
    monkeypatch.setattr(queue, "FIRST_WAIT", 1.0)
    task = queue._Publishing(ListDispatcher, "default")
    own.errors += [OSError() for _ in range(9)]
    assert [task.run() for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_under_uwsgi_without_threads_nothing_starts_and_an_error_says_so_once(own, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "uwsgi", types.SimpleNamespace(opt={}))
    for _ in range(2):
        own.wake("default")
    assert published() == []
    [told] = caplog.records
    assert told.levelname == "ERROR"
    assert "default" in told.getMessage()
    assert "enable-threads" in told.getMessage()


def test_a_queue_that_is_away_does_not_reach_the_shopper(own):
    own.errors += [OSError() for _ in range(3)]
    dispatchers.wake("default")
    assert published() == [("default", 0)]


def test_a_run_that_takes_long_leaves_the_rest_to_the_next(own, monkeypatch):
    monkeypatch.setattr(queue, "LONGEST_RUN", -1.0)
    record()
    published().clear()
    own.deliver("default")
    assert published() == [("default", claim.SHORTEST_SLEEP)]
    assert locmem.outbox == []


def test_a_database_that_is_away_is_told_by_its_class_and_tried_again(own, monkeypatch, caplog):
    monkeypatch.setattr(Delivery, "run", refuse)
    own.deliver("default")
    [(_using, seconds)] = published()
    assert 0 < seconds <= claim.LONGEST_SLEEP
    assert [record.getMessage() for record in caplog.records] == [
        "The send log cannot be read, trying again: OperationalError"
    ]
    assert caplog.records[0].exc_info is None


# The chain: of all tasks that end, one publishes the next.


def plan(*seconds: float) -> list[bool]:
    return [queue._is_mine("default", each) for each in seconds]


def test_of_all_who_want_the_next_run_one_publishes_it(clock):
    assert plan(5.0, 5.0, 5.0) == [True, False, False]


def test_of_two_who_read_the_same_plan_one_wins(clock):
    Endpoint.objects.row_of_account()
    first, second = Endpoint.objects.get(), Endpoint.objects.get()
    at = clock.ms + 500
    assert (first.plan_wake(at, clock.ms), second.plan_wake(at, clock.ms)) == (True, False)


def test_the_planned_run_plans_its_successor(clock):
    assert plan(5.0) == [True]
    clock.advance(5)
    assert plan(10.0, 10.0) == [True, False]


def test_a_run_that_never_came_is_replaced_by_the_next_that_does(clock):
    assert plan(60.0) == [True]
    clock.advance(3600)
    assert plan(5.0) == [True]


def test_a_run_that_must_come_sooner_than_planned_is_published(clock):
    assert plan(60.0, 5.0, 60.0) == [True, True, False]


def test_a_plan_that_is_a_moment_later_is_soon_enough(clock):
    assert plan(5.0, 4.99) == [True, False]


def test_where_the_database_cannot_tell_the_next_run_is_published(monkeypatch):
    monkeypatch.setattr(Endpoint, "plan_wake", refuse)
    assert plan(60.0) == [True]
    assert connection.connection is None


def test_a_run_that_cannot_be_published_is_told_by_the_errors_class(own, monkeypatch, caplog):
    record()
    published()
    monkeypatch.setattr(locmem.LocMemBackend, "send", fail)
    own.errors.append(OSError(SECRET))
    own.deliver("default")
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "The next delivery could not be scheduled: OSError; events wait"
    ]


def test_no_run_is_planned_so_late_that_rabbitmq_would_close_the_channel():
    assert claim.LONGEST_SLEEP <= 600
