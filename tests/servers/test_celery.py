"""The Celery dispatcher with real brokers and real workers."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.test import Client

from django_vt.delivery.clock import database_now
from django_vt.dispatchers import celery as celery_dispatcher
from django_vt.dispatchers.celery import CeleryDispatcher, connect
from django_vt.models import Endpoint, SendLogEntry
from django_vt.testing import Answer, Hang
from tests.projects.shop.models import Order
from tests.servers.conftest import PATIENCE

pytestmark = [pytest.mark.process, pytest.mark.server]

real_brokers = pytest.mark.parametrize("broker", ["redis", "rabbitmq"], indirect=True)
brokers_in_trouble = pytest.mark.parametrize(
    "broker",
    ["redis that is down", "rabbitmq that is down", "redis that hangs", "rabbitmq that hangs"],
    indirect=True,
)
TASK = re.compile(r"Task django_vt\.deliver\[([^]]+)] (received|succeeded)")
pools = pytest.mark.parametrize("pool", ["--pool=prefork", pytest.param("--pool=solo", marks=pytest.mark.newest)])


def place_orders(client: Client, *numbers: str) -> None:
    for number in numbers:
        answer = client.post("/buy/", {"number": number, "email": "buyer@example.com"})
        assert answer.status_code == 200


@real_brokers
@pools
def test_an_order_wakes_a_worker_that_delivers_it(shop, start_worker, client, fake_vendor, pool):
    worker = start_worker(pool, "--concurrency=1")
    worker.wait_until(lambda said: "ready" in said)

    place_orders(client, "100023")

    fake_vendor.wait_for(1, timeout=PATIENCE)
    assert fake_vendor.orders == {"100023": 1}
    worker.wait_until(lambda said: "succeeded" in said)
    assert SendLogEntry.objects.get().status == "sent"
    assert worker.end() == 0


@real_brokers
def test_a_worker_that_was_down_finds_the_wakes_when_it_comes(shop, start_worker, client, fake_vendor):
    place_orders(client, "1", "2", "3")
    CeleryDispatcher.publishers.stop(PATIENCE)
    start_worker("--pool=solo")
    fake_vendor.wait_for(3, timeout=PATIENCE)
    assert fake_vendor.orders == {"1": 1, "2": 1, "3": 1}


@real_brokers
@pools
def test_the_chain_delivers_what_failed_without_another_wake(shop, start_worker, client, fake_vendor, pool):
    fake_vendor.misbehave(Answer(503, retry_after=1), times=2)
    worker = start_worker(pool, "--concurrency=2")
    with published() as wakes:
        place_orders(client, "100023")
        fake_vendor.wait_for(1, timeout=PATIENCE)

    # The task of the wake, its successor, and that one's.
    worker.wait_until(lambda said: len(tasks(said, "succeeded")) >= 3)
    assert len(wakes) == 1
    assert SendLogEntry.objects.get().status == "sent"


# RabbitMQ gives a lost worker's task to another at once, Redis after its `visibility_timeout`, an hour.
@pytest.mark.newest
@pytest.mark.parametrize("broker", ["rabbitmq"], indirect=True)
def test_a_killed_workers_order_is_delivered_by_another_without_another_wake(shop, start_worker, client, fake_vendor):
    fake_vendor.misbehave(Hang(), times=1)
    first = start_worker("--pool=prefork", "--concurrency=1")
    place_orders(client, "100023")
    fake_vendor.wait_for(lambda vendor: len(vendor.requests) == 1, timeout=PATIENCE)
    first.kill()

    second = start_worker("--pool=solo")
    fake_vendor.wait_for(1, timeout=PATIENCE)
    second.wait_until(lambda _said: SendLogEntry.objects.get().status == "sent")
    assert fake_vendor.accepted_orders == {"100023": 1}


@real_brokers
def test_many_wakes_make_one_chain(shop, start_worker, client, fake_vendor):
    # For so long that no run comes that is planned: the longest that a task waits is a minute.
    fake_vendor.misbehave(Answer(503, retry_after=3600))
    worker = start_worker("--pool=prefork", "--concurrency=2")
    with published() as wakes:
        place_orders(client, "100023")
        worker.wait_until(lambda said: tasks(said, "succeeded"))
        for number in range(7):
            place_orders(client, str(number))
            CeleryDispatcher.publishers.stop(PATIENCE)  # so that each is a wake of its own
    assert len(wakes) == 8
    worker.wait_until(lambda said: tasks(said, "succeeded") == wakes)

    # Workers receive a task as soon as it is published, to run it in time.
    worker.wait_until(lambda said: tasks(said, "received") > wakes)
    assert len(tasks(worker.said, "received")) == 8 + 1
    assert Endpoint.objects.row_of_account().next_wake_at > database_now("default")


@contextmanager
def published() -> Iterator[set[str]]:
    """The tasks that this process publishes meanwhile, by their ids."""
    ids: set[str] = set()

    def note(headers: dict[str, str], **_others: object) -> None:
        ids.add(headers["id"])

    before_task_publish.connect(note)
    try:
        yield ids
    finally:
        before_task_publish.disconnect(note)


def tasks(said: str, state: str) -> set[str]:
    """The ids of the tasks that were `received`, or have `succeeded`, as the worker says."""
    return {task for task, reached in TASK.findall(said) if reached == state}


@brokers_in_trouble
def test_a_broker_in_trouble_neither_holds_nor_loses_an_order(shop, client, caplog, monkeypatch):
    placed = threading.Event()

    def connect_afterwards() -> Any:
        assert placed.wait(PATIENCE)
        return connect()

    # A checkout that waited for the broker would not end before it gets to it.
    monkeypatch.setattr(celery_dispatcher, "connect", connect_afterwards)
    limits = {name: dict.fromkeys(limits, 0.5) for name, limits in celery_dispatcher._TIME_LIMITS.items()}
    monkeypatch.setattr(celery_dispatcher, "_TIME_LIMITS", limits)
    shop.conf.broker_connection_timeout = 0.5
    client.get("/")
    place_orders(client, "100023", "100024", "100025")
    placed.set()

    assert Order.objects.count() == 3
    assert SendLogEntry.objects.filter(status="pending", due_at=0).count() == 3
    CeleryDispatcher.publishers.stop(PATIENCE)
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert told == ["No worker could be woken, trying again: OperationalError; events wait"]
