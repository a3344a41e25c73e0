"""Brokers as a test gets them: a real server, with a queue that nobody else uses and that is gone afterwards."""

from __future__ import annotations

import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis
from kombu import Connection

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/15")
RABBITMQ_URL = os.environ.get("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")


@dataclass(frozen=True)
class Broker:
    """Where to publish, and the queue of one test."""

    url: str
    options: dict[str, Any] = field(default_factory=dict)
    queue: str = field(default_factory=lambda: f"django-vt-{uuid.uuid4().hex}")

    @property
    def environment(self) -> dict[str, str]:
        """What tests/projects/celery/settings.py reads."""
        return {"BROKER_URL": self.url, "BROKER_OPTIONS": json.dumps(self.options), "BROKER_QUEUE": self.queue}


@contextmanager
def on_redis() -> Iterator[Broker]:
    prefix = f"django-vt-{uuid.uuid4().hex}:"
    try:
        yield Broker(REDIS_URL, {"global_keyprefix": prefix})
    finally:
        with redis.Redis.from_url(REDIS_URL) as server:
            for key in server.scan_iter(f"{prefix}*"):
                server.delete(key)


@contextmanager
def on_rabbitmq() -> Iterator[Broker]:
    broker = Broker(RABBITMQ_URL)
    try:
        yield broker
    finally:
        with Connection(RABBITMQ_URL) as connection, connection.channel() as channel:
            channel.queue_delete(broker.queue)
            channel.exchange_delete(broker.queue)


@contextmanager
def down(scheme: str) -> Iterator[Broker]:
    """A port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Broker(f"{scheme}://127.0.0.1:{taken.getsockname()[1]}//")


@contextmanager
def hanging(scheme: str) -> Iterator[Broker]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        yield Broker(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}//")


BROKERS = {
    "redis": on_redis,
    "rabbitmq": on_rabbitmq,
    "redis that is down": lambda: down("redis"),
    "rabbitmq that is down": lambda: down("amqp"),
    "redis that hangs": lambda: hanging("redis"),
    "rabbitmq that hangs": lambda: hanging("amqp"),
}
