"""A far vendor: what `--concurrency` makes of a drain whose every answer takes a tenth of a second."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db import connections
from django.test import override_settings

from benchmarks import backlog, far_vendor, scale, vendor_process
from benchmarks.turns import in_turn, quartiles
from django_vt.delivery.deliver import Delivery

CONCURRENCIES = (1, 2, 4, 8, 16)
TENTHS = scale.of(30, smoke=2)  # of a second that an ideal drain would take
ROUNDS = scale.of(3, smoke=2)
EXPECTED_SHARE = 16  # of these orders so many fit into MAX_URL_LENGTH


@dataclass
class Drain:
    """What a drain did: events a request, and how much of a core the worker had."""

    share: float = 0.0
    cores: float = 0.0


def report(_vendor: str) -> str:
    """A table for each database."""
    with vendor_process.running(far_vendor.__name__) as address, override_settings(DJANGO_VT=_settings(address)):
        return "\n".join(_on(using) for using in connections)


def _settings(address: str) -> dict[str, object]:
    return {**settings.DJANGO_VT, "ENDPOINT": f"{address}/event"}


def _on(using: str) -> str:
    drains = {concurrency: Drain() for concurrency in CONCURRENCIES}
    ways = {str(number): partial(_drain, using, number, drain) for number, drain in drains.items()}
    measured = in_turn(ways, ROUNDS)
    lines = [
        f"### A vendor {far_vendor.DELAY * 1000:.0f} ms away, rows in {connections[using].display_name}",
        "",
        "The ideal is as many requests in flight as allowed, all the time: a request holds as many of these orders as",
        "fit into MAX_URL_LENGTH. The worker is one process, so it is at its limit where it has a core to itself.",
        "",
        "| `--concurrency` | events/s, median | quartiles | ideal | share of the ideal | events a request | cores |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for number, drain in drains.items():
        lower, middle, upper = quartiles(measured[str(number)])
        ideal = number * drain.share / far_vendor.DELAY
        lines.append(
            f"| {number} | {middle:,.0f} | {lower:,.0f} to {upper:,.0f} | {ideal:,.0f} | {middle / ideal:.0%} "
            f"| {drain.share:.1f} | {drain.cores:.2f} |"
        )
    return "\n".join([*lines, ""])


def _drain(using: str, concurrency: int, drain: Drain) -> float:
    events = int(concurrency * EXPECTED_SHARE * TENTHS / 10 / far_vendor.DELAY)
    backlog.record(using, events)
    wall, busy = time.perf_counter(), time.process_time()
    with Delivery(using, concurrency=concurrency) as delivery:
        report = delivery.run()
    seconds, spent = time.perf_counter() - wall, time.process_time() - busy
    if report.sent != events:
        raise RuntimeError(f"{report.sent} of {events} entries were sent")
    drain.share, drain.cores = report.sent / report.requests, spent / seconds
    return events / seconds
