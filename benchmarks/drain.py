"""The drain: events a second from rows to the vendor, and from memory by the trackers of others."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial

import mixpanel
import posthog
import requests
import segment.analytics.client as segment
from django.db import connections

from benchmarks import backlog, orders, scale
from benchmarks.tables import compared
from benchmarks.turns import in_turn
from django_vt.delivery import deliver_due
from django_vt.models import SendLogEntry

EVENTS = scale.of(3000, smoke=100)
OWN_WAY_EVENTS = scale.of(1000, smoke=20)
ROUNDS = scale.of(5, smoke=2)
OWN_WAY = "one requests.get an event"


def report(vendor: str) -> str:
    """Events a second; the higher the better."""
    ways: dict[str, Callable[[], float]] = {OWN_WAY: partial(_own_way, vendor)}
    for using in connections:
        ways[f"django-vt, rows in {connections[using].display_name}"] = partial(_rows, using)
    ways["Segment, memory"] = partial(_segment, vendor)
    ways["PostHog, memory"] = partial(_posthog, vendor)
    ways["Mixpanel, buffered, memory"] = partial(_mixpanel, vendor)
    return compared("The drain, one worker", "events/s", in_turn(ways, ROUNDS), OWN_WAY)


def _rate(events: int, work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return events / (time.perf_counter() - begun)


def _own_way(vendor: str) -> float:
    def work() -> None:
        for number in range(OWN_WAY_EVENTS):
            event = json.dumps(orders.properties(number))
            requests.get(f"{vendor}/event/acc123", params={"events": f"[{event}]", "callback": "vt"}, timeout=10)

    return _rate(OWN_WAY_EVENTS, work)


def _rows(using: str) -> float:
    backlog.record(using, EVENTS)
    rate = _rate(EVENTS, lambda: deliver_due(using=using))
    _all_sent(using)
    return rate


def _all_sent(using: str) -> None:
    left = SendLogEntry.objects.using(using).exclude(status="sent").count()
    if left:
        raise RuntimeError(f"{left} entries were not sent")


def _segment(vendor: str) -> float:
    client = segment.Client("key", host=vendor, max_queue_size=EVENTS)

    def work() -> None:
        for number in range(EVENTS):
            client.track("shopper", "confirmation", orders.properties(number))
        client.shutdown()

    return _rate(EVENTS, work)


def _posthog(vendor: str) -> float:
    client = posthog.Posthog("key", host=vendor, max_queue_size=EVENTS)

    def work() -> None:
        for number in range(EVENTS):
            client.capture("confirmation", distinct_id="shopper", properties=orders.properties(number))
        client.shutdown()

    return _rate(EVENTS, work)


def _mixpanel(vendor: str) -> float:
    consumer = mixpanel.BufferedConsumer(events_url=f"{vendor}/track")
    client = mixpanel.Mixpanel("token", consumer=consumer)

    def work() -> None:
        for number in range(EVENTS):
            client.track("shopper", "confirmation", orders.properties(number))
        consumer.flush()

    return _rate(EVENTS, work)
