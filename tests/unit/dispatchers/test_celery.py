from __future__ import annotations

import importlib.util
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, _state

from django_vt import tasks, track
from django_vt.backends import locmem
from django_vt.conf import settings
from django_vt.dispatchers import celery as dispatcher
from django_vt.events import Event
from django_vt.exceptions import DeliveryError
from django_vt.identity import Identity
from django_vt.models import SendLogEntry

SECRET = "buyer@example.com"


@pytest.fixture
def app() -> Iterator[Celery]:
    """The project's app, with a broker in this process's memory and a queue of the test's own."""
    default, current = _state.default_app, _state._tls.current_app
    app = Celery("shop", broker="memory://", set_as_current=False)
    app.conf.task_default_queue = f"django-vt-{uuid.uuid4().hex}"
    app.set_default()
    _state._tls.current_app = None
    yield app
    dispatcher.CeleryDispatcher.publishers.stop(10)
    dispatcher.CeleryDispatcher.publishers.forget()
    app.close()
    _state.default_app, _state._tls.current_app = default, current


@pytest.fixture
def celery_settings(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": "django_vt.dispatchers.celery.CeleryDispatcher"}
    return settings


def messages(app: Celery) -> list[Any]:
    """What is in the queue, once the publisher's thread has ended."""
    dispatcher.CeleryDispatcher.publishers.stop(10)
    found = []
    with app.connection_for_read() as connection, connection.SimpleQueue(app.conf.task_default_queue) as queue:
        while queue.qsize():
            found.append(queue.get(block=False))
            found[-1].ack()
    return found


def record() -> SendLogEntry:
    entry = track(Event("wishlist", {"note": SECRET}), identity=Identity(email=SECRET))
    assert entry is not None
    return entry


def fail(self: object, request: object) -> None:
    raise DeliveryError("timed-out")


@pytest.mark.django_db(transaction=True)
def test_an_event_puts_a_task_that_holds_no_event_into_the_queue(app, celery_settings):
    record()
    (message,) = messages(app)
    assert message.headers["task"] == "django_vt.deliver"
    assert message.headers["eta"] is None
    assert message.content_type == "application/json"
    assert message.payload[0] == ["default"]
    assert SECRET not in repr((message.headers, message.properties, message.payload))
    assert locmem.outbox == []


def test_a_process_begins_with_a_wake(app):
    dispatcher.CeleryDispatcher().start("default")
    assert len(messages(app)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("arguments", [(), ("default",)])
def test_the_task_delivers_what_is_due(app, celery_settings, arguments):
    entry = record()
    dispatcher.deliver(*arguments)
    entry.refresh_from_db()
    assert entry.status == "sent"


@pytest.mark.django_db(transaction=True)
def test_the_task_comes_back_once_for_what_failed(app, celery_settings, monkeypatch):
    monkeypatch.setattr(locmem.LocMemBackend, "send", fail)
    record()
    messages(app)
    for _ in range(3):
        dispatcher.deliver("default")
    (message,) = messages(app)
    assert message.headers["task"] == "django_vt.deliver"
    assert message.headers["eta"] is not None
    assert message.payload[0] == ["default"]


@pytest.mark.django_db(transaction=True)
def test_a_task_that_celery_runs_in_place_does_not_come_back(app, celery_settings, monkeypatch):
    monkeypatch.setattr(locmem.LocMemBackend, "send", fail)
    record()
    messages(app)
    dispatcher.deliver.apply(("default",), throw=True)
    assert messages(app) == []


def test_a_killed_workers_task_goes_to_another_and_leaves_no_result(app):
    assert dispatcher.deliver.acks_late
    assert dispatcher.deliver.reject_on_worker_lost
    assert dispatcher.deliver.ignore_result


def test_the_limits_that_a_shop_has_set_for_its_own_tasks_do_not_end_this_one(app):
    app.conf.task_soft_time_limit, app.conf.task_time_limit = 1, 2
    longest = dispatcher.LONGEST_RUN + settings.deadline
    assert dispatcher.deliver.soft_time_limit > longest
    assert dispatcher.deliver.time_limit > dispatcher.deliver.soft_time_limit


@pytest.mark.parametrize(
    ("url", "limits"),
    [
        ("redis://127.0.0.1:9/0", {"socket_timeout": 5.0, "socket_connect_timeout": 5.0}),
        ("amqp://127.0.0.1:9//", {"read_timeout": 5.0, "write_timeout": 5.0}),
        ("memory://", {}),
    ],
)
def test_a_broker_has_seconds_to_answer(app, url, limits):
    app.conf.broker_url = url
    options = dispatcher.connect().transport_options
    assert {name: value for name, value in options.items() if name.endswith("timeout")} == limits
    assert options["max_retries"] == 1


def test_the_projects_own_limits_win(app):
    app.conf.broker_transport_options = {"max_retries": 3, "polling_interval": 2}
    options = dispatcher.connect().transport_options
    assert options["max_retries"] == 3
    assert options["polling_interval"] == 2


def test_wakes_that_come_soon_after_one_another_share_a_connection_and_the_last_closes_it(app, monkeypatch):
    connections = []
    connect = dispatcher.connect
    monkeypatch.setattr(dispatcher, "connect", lambda: connections.append(connect()) or connections[-1])
    publisher = dispatcher.CeleryDispatcher()
    publisher.publish("default")
    publisher.publish("default")
    assert len(connections) == 1
    publisher.close()
    assert not connections[0].connected
    publisher.close()
    publisher.publish("default")
    assert len(connections) == 2
    publisher.close()


def test_celery_finds_the_task_where_it_looks_for_tasks():
    assert tasks.deliver is dispatcher.deliver


def test_other_queues_that_look_there_do_not_trip_over_celery(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    specification = importlib.util.spec_from_file_location("django_vt_tasks_without_celery", tasks.__file__)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert not hasattr(module, "deliver")
