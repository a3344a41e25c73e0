from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.module_loading import import_string

from django_vt import track
from django_vt.backends import locmem
from django_vt.dispatchers import django_tasks as dispatcher
from django_vt.events import Event
from django_vt.exceptions import DeliveryError
from django_vt.identity import Identity
from django_vt.models import SendLogEntry

FRAMEWORK = dispatcher.tasks.__name__
IMMEDIATE = f"{FRAMEWORK}.backends.immediate.ImmediateBackend"
DUMMY = f"{FRAMEWORK}.backends.dummy.DummyBackend"
SECRET = "buyer@example.com"


WITH_WORKERS = f"{__name__}.BackendWithWorkers"


class BackendWithWorkers(import_string(f"{FRAMEWORK}.backends.base.BaseTaskBackend")):  # type: ignore[misc]
    """A project's own, with workers somewhere; it cannot defer tasks."""

    enqueued: list[Any] = []

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> None:
        self.validate_task(task)
        self.enqueued.append(args)


@pytest.fixture
def use(settings, monkeypatch):
    """`use(dotted_path)` makes it the project's backend; None leaves TASKS out."""

    def use(backend: str | None) -> None:
        settings.DJANGO_VT = {
            **settings.DJANGO_VT,
            "DISPATCHER": "django_vt.dispatchers.django_tasks.TasksDispatcher",
        }
        if backend is not None:
            settings.TASKS = {"default": {"BACKEND": backend}}
        monkeypatch.setattr(dispatcher.tasks, "task_backends", type(dispatcher.tasks.task_backends)())

    return use


@pytest.fixture
def enqueued():
    """The tasks that were enqueued, whoever did."""
    found: list[Any] = []

    def note(sender: object, task_result: Any, **kwargs: object) -> None:
        found.append(task_result)

    signal = import_string(f"{FRAMEWORK}.signals.task_enqueued")
    signal.connect(note)
    yield found
    signal.disconnect(note)


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    dispatcher.TasksDispatcher.publishers.stop(10)
    dispatcher.TasksDispatcher.publishers.forget()


def record() -> SendLogEntry:
    entry = track(Event("wishlist", {"note": SECRET}), identity=Identity(email=SECRET))
    assert entry is not None
    return entry


def fail(self: object, request: object) -> None:
    raise DeliveryError("timed-out")


@pytest.mark.django_db(transaction=True)
def test_an_event_enqueues_a_task_that_holds_no_event(use, enqueued):
    use(DUMMY)
    record()
    dispatcher.TasksDispatcher.publishers.stop(10)
    (result,) = enqueued
    assert result.task.module_path == "django_vt.dispatchers.django_tasks.deliver"
    assert (result.task.queue_name, result.task.run_after) == ("default", None)
    assert (list(result.args), result.kwargs) == (["default"], {})
    assert locmem.outbox == []


def test_a_process_begins_with_a_wake(use, enqueued):
    use(DUMMY)
    dispatcher.TasksDispatcher().start("default")
    dispatcher.TasksDispatcher.publishers.stop(10)
    assert len(enqueued) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("arguments", [(), ("default",)])
def test_the_task_delivers_what_is_due(use, enqueued, arguments):
    use(DUMMY)
    entry = record()
    dispatcher.deliver.call(*arguments)
    entry.refresh_from_db()
    assert entry.status == "sent"
    dispatcher.TasksDispatcher.publishers.stop(10)
    assert len(enqueued) == 1


@pytest.mark.django_db(transaction=True)
def test_the_task_comes_back_once_for_what_failed(use, enqueued, monkeypatch):
    use(DUMMY)
    monkeypatch.setattr(locmem.LocMemBackend, "send", fail)
    record()
    dispatcher.TasksDispatcher.publishers.stop(10)
    begun = timezone.now()
    for _ in range(3):
        dispatcher.deliver.call("default")
    _wake, result = enqueued
    assert list(result.args) == ["default"]
    assert begun < result.task.run_after <= timezone.now() + timedelta(minutes=10)


@pytest.mark.django_db(transaction=True)
def test_it_does_not_come_back_where_the_backend_cannot_defer(use, monkeypatch):
    use(WITH_WORKERS)
    monkeypatch.setattr(BackendWithWorkers, "enqueued", [])
    monkeypatch.setattr(locmem.LocMemBackend, "send", fail)
    record()
    dispatcher.TasksDispatcher.publishers.stop(10)
    dispatcher.deliver.call("default")
    assert [list(arguments) for arguments in BackendWithWorkers.enqueued] == [["default"]]


@pytest.mark.parametrize(("backend", "what"), [(IMMEDIATE, "in the web process"), (DUMMY, "runs no task")])
def test_the_check_warns_of_a_backend_without_workers(use, backend, what):
    use(backend)
    (message,) = dispatcher.TasksDispatcher.check()
    assert message.id == "django_vt.W003"
    assert what in message.msg


def test_the_check_warns_of_the_default_backend(use):
    use(None)
    (message,) = dispatcher.TasksDispatcher.check()
    assert "in the web process" in message.msg


def test_the_check_has_nothing_to_say_of_a_backend_with_workers(use):
    use(WITH_WORKERS)
    assert dispatcher.TasksDispatcher.check() == []
