from __future__ import annotations

import subprocess
import sys
import threading
from asyncio import CancelledError
from collections.abc import Iterator

import pytest
from django.http import HttpRequest

from django_vt.dispatchers import _background
from django_vt.dispatchers._background import BackgroundTask, BackgroundThreads
from django_vt.visitors import serving
from tests.support.inheriting_threads import InheritingThread

IN_CHILD_AND_AT_EXIT = """
import os, threading
import django
django.setup()
from django_vt.dispatchers._background import BackgroundTask, BackgroundThreads

class Printing(BackgroundTask):
    def __init__(self, using):
        self.using = using
    def run(self):
        os.write(1, f"{process} worked on {self.using}\\n".encode())
        worked.set()
    def close(self):
        pass

worked = threading.Event()
threads = BackgroundThreads("work", Printing)
process = "parent"
threads.start("default")
worked.wait(10)
child = os.fork()
if child == 0:
    worked.clear()
    process = "child"
    threads.start("default")
    worked.wait(10)
    os._exit(0)
os.waitpid(child, 0)
threads.start("other")
"""


class Notebook:
    """Writes down what its tasks do. `may_run` holds them up; `results` are returned, or raised, by their runs."""

    def __init__(self) -> None:
        self.results: list[float | BaseException | None] = []
        self.runs: list[str] = []
        self.closed: list[str] = []
        self.stopped: list[str] = []
        self.served: list[HttpRequest | None] = []
        self.threads: set[threading.Thread] = set()
        self.begun = threading.Event()
        self.may_run = threading.Event()
        self.may_run.set()

    def make(self, using: str) -> BackgroundTask:
        return Task(self, using)


class Task(BackgroundTask):
    def __init__(self, notebook: Notebook, using: str) -> None:
        self.notebook = notebook
        self.using = using

    def run(self) -> float | None:
        self.notebook.threads.add(threading.current_thread())
        self.notebook.served.append(serving.current_request())
        self.notebook.begun.set()
        assert self.notebook.may_run.wait(10)
        self.notebook.runs.append(self.using)
        result = self.notebook.results.pop(0) if self.notebook.results else None
        if isinstance(result, BaseException):
            raise result
        return result

    def close(self) -> None:
        self.notebook.closed.append(self.using)

    def stop(self) -> None:
        self.notebook.stopped.append(self.using)


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def threads(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> Iterator[BackgroundThreads]:
    monkeypatch.setattr(_background, "LINGER", 0.0)
    made = BackgroundThreads("work", notebook.make)
    yield made
    notebook.may_run.set()
    made.stop(10)
    assert made._running == {}


def until_ended(notebook: Notebook) -> None:
    for running in notebook.threads:
        running.join(10)
        assert not running.is_alive()


def test_the_work_is_done_by_another_thread_that_then_closes_and_ends(notebook, threads):
    threads.start("default")
    threads.stop(10)
    assert (notebook.runs, notebook.closed) == (["default"], ["default"])
    assert threading.current_thread() not in notebook.threads
    assert all(running.daemon for running in notebook.threads)
    until_ended(notebook)


def test_the_thread_does_not_know_the_request_that_started_it(notebook, threads, monkeypatch, rf):
    monkeypatch.setattr(threading, "Thread", InheritingThread)
    served = serving.start_serving(rf.get("/"))
    try:
        threads.start("default")
    finally:
        serving.stop_serving(served)
    threads.stop(10)
    assert notebook.served == [None]


def test_where_no_thread_can_be_started_the_next_wake_tries_again(notebook, threads, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as out_of_threads:
        out_of_threads.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            threads.start("default")
        assert threads.wake("default") is False
    threads.start("default")
    threads.stop(10)
    assert notebook.runs == ["default"]


def test_wakes_that_come_during_the_work_are_answered_by_one_more_run(notebook, threads):
    notebook.may_run.clear()
    threads.start("default")
    assert notebook.begun.wait(10)
    for _ in range(5):
        assert threads.wake("default")
    notebook.may_run.set()
    until_ended(notebook)
    assert notebook.runs == ["default", "default"]


def test_each_database_has_a_thread_of_its_own(notebook, threads):
    notebook.may_run.clear()
    for using in ("default", "second", "second"):
        threads.start(using)
    assert notebook.begun.wait(10)
    notebook.may_run.set()
    threads.stop(10)
    assert set(notebook.runs) == {"default", "second"}
    assert len(notebook.threads) == 2


def test_a_wake_where_no_thread_runs_says_so(threads):
    assert threads.wake("default") is False


def test_after_its_work_a_thread_waits_for_the_next_with_its_connections_open(notebook, threads, monkeypatch):
    monkeypatch.setattr(_background, "LINGER", 60.0)
    for times in range(1, 4):
        notebook.begun.clear()
        threads.start("default")
        assert notebook.begun.wait(10)
        assert len(notebook.threads) == 1
        assert times <= len(notebook.runs) + 1
    assert notebook.closed == []
    threads.stop(10)
    assert notebook.closed == ["default"]


def test_when_none_comes_it_ends_and_the_next_wake_starts_another(notebook, threads):
    for times in (1, 2):
        threads.start("default")
        assert notebook.begun.wait(10)
        until_ended(notebook)
        notebook.begun.clear()
        assert (len(notebook.threads), len(notebook.closed)) == (times, times)


def test_it_comes_back_after_the_seconds_that_the_work_asks_for(notebook, threads):
    notebook.results = [0.001, 0.001]
    threads.start("default")
    assert notebook.begun.wait(10)
    until_ended(notebook)
    assert notebook.runs == ["default"] * 3


def test_before_a_long_sleep_it_closes_its_connections(notebook, threads):
    notebook.results = [0.001]
    threads.start("default")
    assert notebook.begun.wait(10)
    until_ended(notebook)
    assert notebook.closed == ["default", "default"]


def test_before_a_short_sleep_it_keeps_them(notebook, threads, monkeypatch):
    monkeypatch.setattr(_background, "LINGER", 0.01)
    notebook.results = [0.001]
    threads.start("default")
    assert notebook.begun.wait(10)
    until_ended(notebook)
    assert (notebook.runs, notebook.closed) == (["default", "default"], ["default"])


def test_a_wake_ends_a_long_sleep(notebook, threads):
    notebook.results = [3600.0]
    threads.start("default")
    assert notebook.begun.wait(10)
    threads.wake("default")
    until_ended(notebook)
    assert notebook.runs == ["default", "default"]


def test_the_end_of_the_process_ends_a_long_sleep(notebook, threads):
    notebook.results = [3600.0]
    threads.start("default")
    assert notebook.begun.wait(10)
    threads.stop(10)
    assert notebook.stopped == ["default"]
    until_ended(notebook)


def test_the_end_of_the_process_answers_a_wake_that_waits(notebook, threads):
    notebook.may_run.clear()
    threads.start("default")
    assert notebook.begun.wait(10)
    threads.wake("default")
    threads.stop(0)
    notebook.may_run.set()
    until_ended(notebook)
    assert notebook.runs == ["default", "default"]


def test_the_end_of_the_process_does_not_wait_longer_than_it_is_told(notebook, threads):
    notebook.may_run.clear()
    threads.start("default")
    assert notebook.begun.wait(10)
    threads.stop(0)
    assert all(running.is_alive() for running in notebook.threads)


@pytest.mark.parametrize("kind", [LookupError, SystemExit, KeyboardInterrupt, CancelledError])
def test_work_that_raises_ends_the_thread_is_told_by_its_class_and_the_next_wake_starts_another(
    notebook, threads, caplog, kind
):
    notebook.results = [kind("canary@example.com")]
    threads.start("default")
    until_ended(notebook)
    threads.start("default")
    threads.stop(10)
    assert [record.getMessage() for record in caplog.records] == [f"The thread work-default ended: {kind.__name__}"]
    assert notebook.runs == ["default", "default"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_so_does_one_whose_end_the_log_cannot_take(notebook, threads, monkeypatch):
    def refuse(*args: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(_background.logger, "error", refuse)
    notebook.results = [LookupError()]
    threads.start("default")
    until_ended(notebook)
    threads.start("default")
    threads.stop(10)
    assert notebook.runs == ["default", "default"]


def test_what_cannot_be_closed_is_let_go(notebook, threads, monkeypatch, caplog):
    caplog.set_level("DEBUG", "django_vt")

    def fail(self: Task) -> None:
        raise OSError("amqp://user:password@broker")

    monkeypatch.setattr(Task, "close", fail)
    threads.start("default")
    threads.stop(10)
    assert [record.getMessage() for record in caplog.records] == [
        "Closing what a background thread used raised OSError"
    ]


def test_a_wake_between_the_last_look_and_the_end_is_not_lost(notebook, threads, monkeypatch):
    waits = threads._is_woken

    def wait_and_be_woken(running, seconds):
        woken = waits(running, seconds)
        if len(notebook.runs) == 1:
            threads.wake("default")
        return woken

    monkeypatch.setattr(threads, "_is_woken", wait_and_be_woken)
    threads.start("default")
    threads.stop(10)
    assert notebook.runs == ["default", "default"]


def test_without_a_wake_there_is_no_thread_and_nothing_to_wait_for(notebook, threads):
    threads.stop(10)
    assert notebook.threads == set()


def test_what_is_said_once_is_said_once_a_database(threads, caplog):
    for using in ("default", "default", "other"):
        threads.say_once(30, "Nothing starts on %s", using)
    assert [record.getMessage() for record in caplog.records] == [
        "Nothing starts on default",
        "Nothing starts on other",
    ]


@pytest.mark.process
def test_a_forked_child_has_threads_of_its_own_and_the_end_of_a_process_waits_for_them(process_environment):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IN_CHILD_AND_AT_EXIT],
        check=True, capture_output=True, text=True, timeout=30, env=process_environment,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "parent worked on default", "child worked on default", "parent worked on other",
    ]  # fmt: skip
