"""The Celery dispatcher with real brokers and real workers."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from django_vt.delivery.clock import database_now
from django_vt.dispatchers.celery import CeleryDispatcher
from django_vt.models import Endpoint, SendLogEntry
from django_vt.testing import Answer, Hang
from tests.projects.shop.models import Order

pytestmark = [pytest.mark.process, pytest.mark.server]

real_brokers = pytest.mark.parametrize("broker", ["redis", "rabbitmq"], indirect=True)
brokers_in_trouble = pytest.mark.parametrize(
    "broker",
    ["redis that is down", "rabbitmq that is down", "redis that hangs", "rabbitmq that hangs"],
    indirect=True,
)
pools = pytest.mark.parametrize("pool", ["--pool=prefork", "--pool=solo"])


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

    fake_vendor.wait_for(1, timeout=20)
    assert fake_vendor.orders == {"100023": 1}
    worker.wait_until(lambda said: "succeeded" in said)
    assert SendLogEntry.objects.get().status == "sent"
    assert worker.end() == 0


@real_brokers
def test_a_worker_that_was_down_finds_the_wakes_when_it_comes(shop, start_worker, client, fake_vendor):
    place_orders(client, "1", "2", "3")
    CeleryDispatcher.publishers.stop(10)
    start_worker("--pool=solo")
    fake_vendor.wait_for(3, timeout=20)
    assert fake_vendor.orders == {"1": 1, "2": 1, "3": 1}


@real_brokers
@pools
def test_the_chain_delivers_what_failed_without_another_wake(shop, start_worker, client, fake_vendor, pool):
    fake_vendor.misbehave(Answer(503), times=1)
    worker = start_worker(pool, "--concurrency=2")
    place_orders(client, "100023")

    fake_vendor.wait_for(1, timeout=30)
    worker.wait_until(lambda said: said.count("succeeded") == 2)

    assert SendLogEntry.objects.get().status == "sent"


# RabbitMQ gives a lost worker's task to another at once, Redis after its `visibility_timeout`, an hour.
@pytest.mark.parametrize("broker", ["rabbitmq"], indirect=True)
def test_a_killed_workers_order_is_delivered_by_another_without_another_wake(shop, start_worker, client, fake_vendor):
    fake_vendor.misbehave(Hang(), times=1)
    first = start_worker("--pool=prefork", "--concurrency=1")
    place_orders(client, "100023")
    fake_vendor.wait_for(lambda vendor: len(vendor.requests) == 1, timeout=20)
    first.kill()

    second = start_worker("--pool=solo")
    fake_vendor.wait_for(1, timeout=30)
    second.wait_until(lambda _said: SendLogEntry.objects.get().status == "sent")
    assert fake_vendor.accepted_orders == {"100023": 1}


@real_brokers
def test_many_wakes_make_one_chain(shop, start_worker, client, fake_vendor):
    fake_vendor.misbehave(Answer(503))
    worker = start_worker("--pool=prefork", "--concurrency=2")
    place_orders(client, "100023")
    worker.wait_until(lambda said: said.count("succeeded") == 1)
    for number in range(7):
        place_orders(client, str(number))
        CeleryDispatcher.publishers.stop(10)  # so that each is a wake of its own
    worker.wait_until(lambda said: said.count("succeeded") == 8)

    # Workers receive a task as soon as it is published, to run it in time.
    assert worker.said.count("received") == 8 + 1
    worker.wait_until(lambda said: said.count("succeeded") == 8 + 1)
    worker.wait_until(lambda said: said.count("received") == 8 + 2)
    assert Endpoint.objects.get().next_wake_at > database_now("default")


@brokers_in_trouble
def test_a_broker_in_trouble_neither_holds_nor_loses_an_order(shop, client, caplog):
    client.get("/")
    begun = time.perf_counter()
    place_orders(client, "100023", "100024", "100025")
    taken = time.perf_counter() - begun

    assert taken < 0.5
    assert Order.objects.count() == 3
    assert SendLogEntry.objects.filter(status="pending", due_at=0).count() == 3
    CeleryDispatcher.publishers.stop(20)
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert told == ["No worker could be woken, trying again: OperationalError; events wait"]
