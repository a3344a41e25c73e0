"""What the checkout pays: the time that reporting an order adds inside the order's own transaction."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import mailer
import posthog
import segment.analytics.client as segment
from django.db import connections, transaction
from django.utils import timezone
from post_office import mail

from benchmarks import orders, scale
from benchmarks.tables import compared
from benchmarks.turns import in_turn
from django_vt.models import SendLogEntry

ROUNDS = scale.of(1500, smoke=10)
WARM_UP = scale.of(100, smoke=2)
BY_HAND = "the same statements by hand"
FIELDS = [field.attname for field in SendLogEntry._meta.concrete_fields if not field.primary_key]
INSERT = (
    f"INSERT INTO django_vt_sendlogentry ({', '.join(FIELDS)}) VALUES ({', '.join(['%s'] * len(FIELDS))}) RETURNING id"
)
LOOK_UP = f"SELECT id, {', '.join(FIELDS)} FROM django_vt_sendlogentry WHERE dedup_key = %s LIMIT 1"
PAYLOAD = (
    '{"type":"confirmation","userId":"0123456789012345","sessionId":"9876543210987654","orderId":"100000",'
    '"total":"234.12","products":[{"id":"123123-M","quantity":2},{"id":"445566-L","quantity":1},{"id":"998877","quantity":3}]}'
)


def report(vendor: str) -> str:
    """A table for each database."""
    return "\n".join(_on(alias, vendor) for alias in connections)


def _on(using: str, vendor: str) -> str:
    trackers = _posthog(vendor), _segment(vendor)
    ways: dict[str, Callable[[], object]] = {
        BY_HAND: partial(_by_hand, using),
        "a bare INSERT": partial(_bare_insert, using),
        "order_placed.send()": partial(orders.place, using),
        "posthog.capture (memory)": partial(_capture, trackers[0]),
        "segment.track (memory)": partial(_track, trackers[1]),
    }
    if using == "default":  # neither takes a database
        ways |= {"post_office.mail.send": _post_office, "mailer.send_mail": _mailer}
    measure = {name: partial(in_an_order, using, way) for name, way in ways.items()}
    in_turn(measure, WARM_UP)
    measured = in_turn(measure, ROUNDS)
    for tracker in trackers:
        tracker.shutdown() if hasattr(tracker, "shutdown") else tracker.join()
    title = f"The checkout on {connections[using].display_name}"
    return compared(title, "µs", measured, BY_HAND)


def in_an_order(using: str, way: Callable[[], object]) -> float:
    """Microseconds of the way alone, in a transaction that has written already."""
    with transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute("INSERT INTO bench_order (total) VALUES (23412)")
        begun = time.perf_counter()
        way()
        return (time.perf_counter() - begun) * 1e6


def _row(key: str) -> list[Any]:
    now = timezone.now()
    row: dict[str, object] = {
        "account_id": "acc123",
        "event_type": "confirmation",
        "payload": PAYLOAD,
        "identity": "pixel:0123456789012345_9876543210987654",
        "email_hash": key,
        "reference": key[:6],
        "dedup_key": key,
        "status": "pending",
        "attempts": 0,
        "waits": 0,
        "due_at": 0,
        "created_at": now,
        "reason": "",
    }
    return [row.get(name) for name in FIELDS]


def _key() -> str:
    return hashlib.sha256(str(next(orders.numbers)).encode()).hexdigest()


def _by_hand(using: str) -> None:
    key = _key()
    with connections[using].cursor() as cursor:
        cursor.execute("SAVEPOINT by_hand")
        cursor.execute(LOOK_UP, [key])
        cursor.fetchone()
        cursor.execute(INSERT, _row(key))
        cursor.fetchone()
        cursor.execute("RELEASE SAVEPOINT by_hand")


def _bare_insert(using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(INSERT, _row(_key()))
        cursor.fetchone()


def _posthog(vendor: str) -> posthog.Posthog:
    return posthog.Posthog("key", host=vendor, max_queue_size=1_000_000)


def _segment(vendor: str) -> segment.Client:
    return segment.Client("key", host=vendor, max_queue_size=1_000_000)


def _capture(tracker: posthog.Posthog) -> None:
    tracker.capture("confirmation", distinct_id="shopper", properties=orders.properties(next(orders.numbers)))


def _track(tracker: segment.Client) -> None:
    tracker.track("shopper", "confirmation", orders.properties(next(orders.numbers)))


def _post_office() -> None:
    mail.send([orders.EMAIL], "shop@example.com", subject="Your order", message=PAYLOAD)


def _mailer() -> None:
    mailer.send_mail("Your order", PAYLOAD, "shop@example.com", [orders.EMAIL])
