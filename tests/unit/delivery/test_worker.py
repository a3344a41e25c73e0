from __future__ import annotations

import logging
import threading

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError

from django_vt.delivery import DeliveryReport
from django_vt.delivery import worker as workers
from django_vt.delivery.claim import LONGEST_SLEEP, Claimer
from django_vt.delivery.deliver import Delivery
from django_vt.delivery.worker import Worker
from tests.support.delivering import one, pending, statuses

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker():
    return Worker("default")


@pytest.fixture
def sleeps(monkeypatch):
    """How long workers wanted to sleep; the third time they are stopped instead."""
    asked: list[float] = []

    def sleep(self: Worker, seconds: float) -> None:
        asked.append(seconds)
        if len(asked) == 3:
            self.stop()

    monkeypatch.setattr(Worker, "sleep", sleep)
    return asked


def test_one_pass_delivers_what_is_due_and_tells_of_it(worker, script, caplog):
    caplog.set_level(logging.INFO)
    pending(3)
    assert worker.run_until_empty() == DeliveryReport(requests=1, sent=3)
    one()
    assert worker.run_once() is None
    assert "Delivered: DeliveryReport(requests=1, sent=1" in caplog.text


def test_a_pass_with_nothing_to_do_says_nothing(worker, caplog):
    caplog.set_level(logging.INFO)
    assert worker.run_once() is None
    assert caplog.records == []


def test_it_says_when_to_look_again(worker, script, clock):
    script.answer = lambda request: 503
    one()
    seconds = worker.run_once()
    assert seconds is not None
    assert 4 <= seconds <= 6


def test_for_ever_is_until_it_is_stopped_and_with_nothing_pending_it_sleeps_long(worker, sleeps, script):
    one()
    worker.run_forever()
    assert sleeps == [LONGEST_SLEEP] * 3
    assert worker.stopped
    assert statuses() == {"sent": 1}


@pytest.mark.parametrize("error", [OperationalError, DatabaseError, InterfaceError])
def test_a_database_that_is_away_is_waited_for_and_told_of_once(worker, sleeps, script, monkeypatch, caplog, error):  # noqa: PLR0917
    caplog.set_level(logging.DEBUG, "django_vt")
    one()
    honest = Claimer.take

    def take(self, **wanted):
        if len(sleeps) < 2:
            raise error("canary@example.com")
        return honest(self, **wanted)

    monkeypatch.setattr(Claimer, "take", take)
    worker.run_forever()
    assert sleeps == [2, 4, LONGEST_SLEEP]
    assert statuses() == {"sent": 1}
    levels = [record.levelname for record in caplog.records if "cannot be read" in record.getMessage()]
    assert levels == ["ERROR", "DEBUG"]
    assert "canary" not in caplog.text


def test_the_wait_for_a_database_has_a_bound(worker):
    assert [worker._after_failure(OperationalError()) for _ in range(9)] == [2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_another_error_is_not_swallowed(worker, monkeypatch):
    def fail(self, **wanted):
        raise ZeroDivisionError

    monkeypatch.setattr(Claimer, "take", fail)
    with pytest.raises(ZeroDivisionError):
        worker.run_forever()


def test_a_wake_ends_the_sleep(worker):
    sleeping = threading.Thread(target=worker.sleep, args=(60,))
    sleeping.start()
    worker.wake()
    sleeping.join(5)
    assert not sleeping.is_alive()


def test_a_stop_ends_it_even_if_the_next_pass_has_begun_already(worker, script, monkeypatch):
    """The pass forgets the wakes before it; the stop must not be among what is forgotten."""
    one()
    clear = worker._woken.clear

    def stop_and_clear():
        worker.stop()
        clear()

    def run():
        worker.run_forever()
        worker.close()

    monkeypatch.setattr(worker._woken, "clear", stop_and_clear)
    running = threading.Thread(target=run)
    running.start()
    running.join(5)
    assert not running.is_alive()
    assert (statuses(), script.requests) == ({"pending": 1}, [])


def test_the_connections_to_the_vendor_stay_open_from_one_pass_to_the_next_until_it_finishes(worker, script):
    backends = []
    script.answer = lambda request: backends.append(worker._delivery._backend) or 200
    for _ in range(2):
        one()
        worker.run_once()
    worker.finish()
    one()
    worker.run_once()
    first, second, third = backends
    assert first is second
    assert first is not third


def test_another_backend_in_the_settings_is_used_from_the_next_pass_on(worker, settings, script):
    worker.run_once()
    before = worker._delivery
    settings.DJANGO_VT = {**settings.DJANGO_VT, "BACKEND": "django_vt.backends.dummy.DummyBackend"}
    worker.run_once()
    assert worker._delivery is not before


def test_it_stops_when_whoever_made_it_says_so(script):
    one()
    Worker("default", stopping=lambda: True).run_once()
    assert (statuses(), script.requests) == ({"pending": 1}, [])


def test_no_request_is_begun_once_the_end_of_the_process_has_begun(worker, script, monkeypatch):
    one()
    ended = threading.Thread()
    monkeypatch.setattr(workers.threading, "main_thread", lambda: ended)
    worker.run_once()
    assert (statuses(), script.requests) == ({"pending": 1}, [])


def test_it_keeps_as_many_requests_in_flight_as_it_was_told(monkeypatch):
    made = []
    init = Delivery.__init__

    def note(self, using, **options):
        made.append((using, options["concurrency"]))
        init(self, using, **options)

    monkeypatch.setattr(Delivery, "__init__", note)
    Worker("default", concurrency=3).run_once()
    assert made == [("default", 3)]
