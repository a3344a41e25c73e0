"""From commit to vendor: how long an order takes with the thread dispatcher, and what the shop's own pages notice."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from django.template import engines
from django.test import RequestFactory, override_settings

from benchmarks import backlog, orders, scale, vendor_process, watching_vendor
from benchmarks.watching_vendor import Vendor
from django_vt.dispatchers.thread import ThreadDispatcher
from django_vt.models import SendLogEntry

# Orders a second, and how many.
RATES = {1: scale.of(20, smoke=2), 20: scale.of(600, smoke=10), 200: scale.of(2000, smoke=20)}
ARRIVED_WITHIN = 30.0  # seconds, or something is wrong
PAGES = scale.of(400, smoke=5)
BACKLOG = scale.of(20_000, smoke=50)
PAGE = "{% for line in lines %}<li>{{ line.0 }}: {{ line.1|floatformat:2 }}</li>{% endfor %}"


def report(_vendor: str) -> str:
    """Two tables for each database."""
    with vendor_process.running(watching_vendor.__name__) as address:
        vendor = Vendor(address)
        with override_settings(DJANGO_VT=_settings(vendor)):
            return "\n".join(_on(using, vendor) for using in connections)


def _settings(vendor: Vendor) -> dict[str, object]:
    endpoint = f"{vendor.address}/event"
    return {**settings.DJANGO_VT, "ENDPOINT": endpoint, "DISPATCHER": "django_vt.dispatchers.thread.ThreadDispatcher"}


def _on(using: str, vendor: Vendor) -> str:
    SendLogEntry.objects.using(using).all().delete()
    name = connections[using].display_name
    lines = [
        f"### From commit to vendor: thread dispatcher, {name}",
        "",
        "| orders a second | median, ms | p99 | longest | orders | database connections | TCP connections |",
        "|---:|---:|---:|---:|---:|---:|---:|",
        *(_latency(using, vendor, rate, count) for rate, count in RATES.items()),
        "",
        f"### The shop's own pages beside a drain of {BACKLOG:,} events: {name}",
        "",
        "A page of a query and a template with 200 lines, in the process whose thread delivers at full speed.",
        "",
        "| | median, ms | p99 | longest | pages |",
        "|---|---:|---:|---:|---:|",
        *_pages(using, vendor),
    ]
    return "\n".join([*lines, ""])


def _latency(using: str, vendor: Vendor, rate: int, count: int) -> str:
    opened: list[str] = []

    def note(connection: Any, **_: object) -> None:
        opened.append(connection.alias)

    vendor.seen()
    connections[using].ensure_connection()
    connection_created.connect(note)
    committed = {}
    begun = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        order = _order(using)
        committed[order] = time.monotonic()
    arrivals, connected = _arrivals(vendor, count)
    connection_created.disconnect(note)
    spent = [max(0.0, arrivals[order] - at) * 1e3 for order, at in committed.items()]
    return f"| {rate} | {_spread(spent)} | {count:,} | {len(opened)} | {connected} |"


def _order(using: str) -> str:
    """An order's transaction, until it is committed; returns the order's number."""
    with transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute("INSERT INTO bench_order (total) VALUES (23412)")
        return orders.place(using)


def _arrivals(vendor: Vendor, count: int) -> tuple[dict[str, float], int]:
    arrivals: dict[str, float] = {}
    connected, end = 0, time.monotonic() + ARRIVED_WITHIN
    while len(arrivals) < count:
        if time.monotonic() > end:
            raise RuntimeError(f"{len(arrivals)} of {count} orders have arrived")
        seen = vendor.seen()
        arrivals = {**seen.arrivals, **arrivals}
        connected += seen.connections
        time.sleep(0.05)
    return arrivals, connected


def _pages(using: str, vendor: Vendor) -> list[str]:
    page = _page(using)
    before = [page() for _page_number in range(PAGES)]
    backlog.record(using, BACKLOG)
    ThreadDispatcher().wake(using)
    meanwhile = [page(), page()]  # a spread takes two, however soon the trial's few events are sent
    while SendLogEntry.objects.using(using).filter(status="pending").exists():
        meanwhile.append(page())
    vendor.seen()
    without = before + [page() for _page_number in range(PAGES)]
    return [
        f"| without | {_spread(without)} | {len(without):,} |",
        f"| meanwhile | {_spread(meanwhile)} | {len(meanwhile):,} |",
    ]


def _page(using: str) -> Callable[[], float]:
    template = engines["django"].from_string(PAGE)
    request: HttpRequest = RequestFactory().get("/")
    lines = [(f"article {number}", number / 7) for number in range(200)]

    def page() -> float:
        begun = time.perf_counter()
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM bench_order WHERE total < 0")
            cursor.fetchone()
        template.render({"lines": lines}, request)
        spent = (time.perf_counter() - begun) * 1e3
        time.sleep(0.002)
        return spent

    return page


def _spread(spent: list[float]) -> str:
    p99 = statistics.quantiles(spent, n=100, method="inclusive")[98]
    return f"{statistics.median(spent):.1f} | {p99:.1f} | {max(spent):.1f}"
