from __future__ import annotations

import threading

import pytest

from django_vt.backends.http._deadline import Watchdog
from django_vt.visitors import serving
from tests.support.inheriting_threads import InheritingThread
from tests.unit.backends.requests_to import login

pytestmark = pytest.mark.any_database

LONG = 3600


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "django-vt-watchdog"]


def test_an_alarm_is_called_once_when_its_time_has_come():
    called, calls = threading.Event(), []

    def alarm():
        calls.append(threading.current_thread())
        called.set()

    watchdog = Watchdog()
    watchdog.set(alarm, 0.01)
    assert called.wait(10)
    watchdog.close()
    assert len(calls) == 1
    assert calls[0] is not threading.current_thread()


def test_its_thread_does_not_know_the_request_that_started_it(monkeypatch, rf):
    monkeypatch.setattr(threading, "Thread", InheritingThread)
    called, served = threading.Event(), []

    def alarm():
        served.append(serving.current_request())
        called.set()

    watchdog, token = Watchdog(), serving.start_serving(rf.get("/"))
    try:
        watchdog.set(alarm, 0.01)
    finally:
        serving.stop_serving(token)
    assert called.wait(10)
    watchdog.close()
    assert served == [None]


def test_the_earliest_comes_first_though_it_was_set_last():
    called, ended = threading.Event(), []
    watchdog = Watchdog()
    watchdog.set(lambda: ended.append("late"), LONG)
    watchdog.set(called.set, 0.01)
    assert called.wait(10)
    watchdog.close()
    assert ended == []


def test_a_cancelled_alarm_is_not_called():
    called, calls = threading.Event(), []
    watchdog = Watchdog()

    def cancelled():
        calls.append("cancelled")

    watchdog.set(cancelled, 0.01)
    watchdog.cancel(cancelled)
    watchdog.set(called.set, 0.02)
    assert called.wait(10)
    watchdog.close()
    assert calls == []


def test_many_alarms_share_one_thread_and_closing_ends_it():
    watchdog = Watchdog()
    for _ in range(3):
        watchdog.set(object().__repr__, LONG)
    assert len(threads()) == 1
    watchdog.close()
    assert threads() == []


def test_an_alarm_that_raises_keeps_no_other_from_coming(caplog):
    def fail():
        raise LookupError("buyer@example.com")

    called = threading.Event()
    watchdog = Watchdog()
    watchdog.set(fail, 0.01)
    watchdog.set(called.set, 0.02)
    assert called.wait(10)
    watchdog.close()
    assert caplog.messages == ["A request's deadline could not be kept: LookupError"]


def test_where_no_thread_can_start_the_next_is_not_waited_for_in_vain(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    called = threading.Event()
    watchdog = Watchdog()
    with monkeypatch.context() as patches:
        patches.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            watchdog.set(called.set, LONG)
    watchdog.close()
    watchdog.set(called.set, 0.01)
    assert called.wait(10)
    watchdog.close()


def test_it_can_be_used_again_when_its_thread_has_ended():
    first, second = threading.Event(), threading.Event()
    watchdog = Watchdog()
    watchdog.set(first.set, 0.01)
    assert first.wait(10)
    watchdog.close()
    watchdog.close()
    watchdog.set(second.set, 0.01)
    assert second.wait(10)
    watchdog.close()


def test_a_backend_that_is_closed_leaves_no_thread_behind(vendor, backend):
    for _ in range(3):
        backend.send(login())
    assert len(threads()) == 1
    backend.close()
    assert threads() == []
