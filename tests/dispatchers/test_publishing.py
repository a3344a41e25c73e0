from __future__ import annotations

import subprocess
import sys
import threading
import types

import pytest

from django_vt.dispatchers import _background
from django_vt.dispatchers._background import Publisher

IN_CHILD_AND_AT_EXIT = """
import os, threading
from django_vt.dispatchers.publishing import Publisher

class Printing(Publisher):
    def publish(self, using):
        os.write(1, f"{self.process} published {using}\\n".encode())
        published.set()

published = threading.Event()
publisher = Printing()
publisher.process = "parent"
publisher.wake("default")
published.wait(10)
child = os.fork()
if child == 0:
    published.clear()
    publisher.process = "child"
    publisher.wake("default")
    published.wait(10)
    os._exit(0)
os.waitpid(child, 0)
publisher.wake("other")
"""


class Notebook(Publisher):
    """Writes down what it publishes; `may_publish` holds it up, `errors` are raised first."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.published: list[str] = []
        self.threads: set[threading.Thread] = set()
        self.closed = 0
        self.begun = threading.Event()
        self.done = threading.Event()
        self.may_publish = threading.Event()
        self.may_publish.set()
        super().__init__()

    def publish(self, using: str) -> None:
        self.begun.set()
        self.threads.add(threading.current_thread())
        assert self.may_publish.wait(10)
        if self.errors:
            raise self.errors.pop(0)
        self.published.append(using)
        self.done.set()

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def notebook(monkeypatch):
    monkeypatch.setattr(_background, "FIRST_WAIT", 0.001)
    publisher = Notebook()
    yield publisher
    publisher.may_publish.set()
    publisher.finish(10)


def test_a_wake_is_published_by_another_thread(notebook):
    notebook.wake("default")
    notebook.finish(10)
    assert notebook.published == ["default"]
    assert threading.current_thread() not in notebook.threads


def test_wakes_that_come_while_one_is_being_published_are_one(notebook):
    notebook.may_publish.clear()
    notebook.wake("default")
    assert notebook.begun.wait(10)
    for _ in range(5):
        notebook.wake("default")
    notebook.may_publish.set()
    notebook.finish(10)
    assert notebook.published == ["default", "default"]


def test_each_database_has_its_own_wake_in_the_order_they_came(notebook):
    notebook.may_publish.clear()
    for using in ("default", "second", "third", "second"):
        notebook.wake(using)
    notebook.may_publish.set()
    notebook.finish(10)
    assert notebook.published == ["default", "second", "third"]


def test_what_fails_is_tried_again_until_it_is_published_and_told_once(notebook, caplog):
    caplog.set_level("INFO")
    notebook.errors = [ConnectionError("amqp://user:password@broker"), OSError(), OSError()]
    notebook.wake("default")
    assert notebook.done.wait(10)
    notebook.finish(10)
    assert notebook.published == ["default"]
    assert [record.getMessage() for record in caplog.records] == [
        "No worker could be woken, trying again: ConnectionError; events wait",
        "Workers can be woken again",
    ]
    assert notebook.closed == 3 + 1


def test_the_waits_between_attempts_grow_to_a_minute(notebook, monkeypatch):
    monkeypatch.setattr(_background, "FIRST_WAIT", 1.0)
    waits = []
    notebook._changed.wait_for = lambda predicate, timeout: waits.append(timeout)  # type: ignore[method-assign]
    for failures in (1, 2, 3, 50):
        notebook._failures = failures
        notebook._put_off("default")
    assert waits == [1.0, 2.0, 4.0, 60.0]


def test_the_end_of_the_process_does_not_wait_for_the_next_attempt(notebook, monkeypatch):
    monkeypatch.setattr(_background, "FIRST_WAIT", 60.0)
    notebook.errors = [OSError()]
    notebook.wake("default")
    assert notebook.begun.wait(10)
    notebook.finish(10)
    assert not any(thread.is_alive() for thread in notebook.threads)
    assert notebook.published == []


def test_the_thread_ends_when_no_wake_comes_and_the_next_one_starts_another(notebook, monkeypatch):
    monkeypatch.setattr(_background, "IDLE", 0.001)
    for times in (1, 2):
        notebook.wake("default")
        assert notebook.begun.wait(10)
        for thread in notebook.threads:
            thread.join(10)
            assert not thread.is_alive()
        notebook.begun.clear()
        assert notebook.closed == times
    assert notebook.published == ["default", "default"]
    assert len(notebook.threads) == 2


def test_a_queue_that_cannot_be_closed_is_let_go(notebook, monkeypatch, caplog):
    caplog.set_level("DEBUG")

    def fail() -> None:
        raise OSError("amqp://user:password@broker")

    monkeypatch.setattr(notebook, "close", fail)
    notebook.wake("default")
    notebook.finish(10)
    assert notebook.published == ["default"]
    assert [record.getMessage() for record in caplog.records] == ["Closing what published wakes raised OSError"]


def test_without_a_wake_there_is_no_thread_and_nothing_to_wait_for(notebook):
    notebook.finish(10)
    assert notebook.threads == set()


def test_under_uwsgi_without_threads_nothing_starts_and_an_error_says_so_once(notebook, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "uwsgi", types.SimpleNamespace(opt={}))
    notebook.wake("default")
    notebook.wake("default")
    notebook.finish(10)
    assert notebook.threads == set()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "enable-threads" in caplog.text


def test_a_publisher_must_say_how_to_publish():
    with pytest.raises(TypeError, match="Publisher does not say how"):
        Publisher().publish("default")
    Publisher().close()


def test_a_forked_child_publishes_its_own_wakes_and_the_end_of_a_process_waits_for_them(process_environment):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IN_CHILD_AND_AT_EXIT],
        check=True, capture_output=True, text=True, timeout=30, env=process_environment,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["parent published default", "child published default", "parent published other"]


def test_a_wake_that_comes_while_it_closes_is_published_by_the_thread_that_closes(notebook, monkeypatch):
    """Another thread would publish over the very connection that this one is closing."""
    closing, woken = notebook.close, []

    def close_while_a_wake_comes() -> None:
        if not woken:
            woken.append(notebook.wake("default"))
        closing()

    monkeypatch.setattr(notebook, "close", close_while_a_wake_comes)
    notebook.wake("default")
    notebook.finish(10)
    assert notebook.published == ["default", "default"]
    assert len(notebook.threads) == 1
