from __future__ import annotations

import logging
import sys
import threading
import types

import pytest

from django_vt.delivery.worker import Worker
from django_vt.dispatchers import thread
from django_vt.dispatchers.thread import ThreadDispatcher
from tests.support.delivering import one, statuses
from tests.unit.dispatchers.threads import Hanging, delivery_threads, thread_dispatcher, until_ended, wake  # noqa: F401 - a fixture is among them

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("thread_dispatcher")]


# Where it does not start


def test_on_sqlite_that_bears_no_second_writer_it_does_not_start_and_says_so_once(caplog, monkeypatch):
    monkeypatch.setattr(thread, "is_unsafe_sqlite", lambda alias: True)
    one()
    for _ in range(3):
        wake()
    assert delivery_threads() == []
    [told] = caplog.records
    assert told.levelno == logging.WARNING
    assert "send_pending" in told.getMessage()
    assert "IMMEDIATE" in told.getMessage()
    assert statuses() == {"pending": 1}


UWSGI_WITHOUT = [{}, {"master": True}, {b"processes": b"4"}, {"enable-threads": False}, {b"enable-threads": b"0"}]
UWSGI_WITH = [{"enable-threads": True}, {b"enable-threads": b"1"}, {"threads": "2"}, {b"threads": b"2"}]


def under_uwsgi(monkeypatch: pytest.MonkeyPatch, options: object) -> None:
    monkeypatch.setitem(sys.modules, "uwsgi", types.SimpleNamespace(opt=options))


@pytest.mark.parametrize("options", UWSGI_WITHOUT, ids=repr)
def test_under_uwsgi_without_threads_it_does_not_start_and_says_so_at_error(caplog, monkeypatch, options):
    under_uwsgi(monkeypatch, options)
    one()
    for _ in range(3):
        wake()
    assert delivery_threads() == []
    [told] = caplog.records
    assert told.levelno == logging.ERROR
    assert "enable-threads = true" in told.getMessage()
    assert "send_pending" in told.getMessage()


@pytest.mark.parametrize("options", UWSGI_WITH, ids=repr)
def test_under_uwsgi_with_threads_it_starts(script, monkeypatch, options):
    under_uwsgi(monkeypatch, options)
    one()
    wake()
    until_ended()
    assert statuses() == {"sent": 1}


def test_a_module_called_uwsgi_that_is_none_is_none_of_our_business(script, monkeypatch):
    monkeypatch.setitem(sys.modules, "uwsgi", types.ModuleType("uwsgi"))
    one()
    wake()
    until_ended()
    assert statuses() == {"sent": 1}


def test_another_database_has_a_thread_of_its_own(monkeypatch):
    woken = []
    monkeypatch.setattr(thread, "is_unsafe_sqlite", lambda alias: False)
    monkeypatch.setattr(Worker, "run_once", lambda self: woken.append(self.using))
    monkeypatch.setattr(Worker, "close", lambda self: None)
    ThreadDispatcher().wake("other")
    ThreadDispatcher().wake("default")
    for running in threading.enumerate():
        if running.name.startswith("django-vt-"):
            running.join(5)
    assert sorted(woken) == ["default", "other"]
