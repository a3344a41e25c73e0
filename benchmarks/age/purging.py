"""What `purge_send_log` of a million rows costs the shop meanwhile."""

from __future__ import annotations

import statistics
import time

from django.db import connections, transaction

from benchmarks import orders, scale
from benchmarks.age.databases import Log
from benchmarks.age.processes import ended_well, running
from benchmarks.grown_log import RATE
from django_vt.models import SendLogEntry

MILLION = 1_000_000
ORDERS = scale.of(1_000, smoke=10)
PAUSE = 0.01  # seconds between two orders


def report(log: Log) -> str:
    """Orders without a purge, before and after, and during one."""
    name = connections[log.alias].display_name
    before = [_order(log.alias) for _order_number in range(ORDERS)]
    meanwhile, rows, seconds = _purge(log)
    without = before + [_order(log.alias) for _order_number in range(ORDERS)]
    lines = [
        f"### What a purge costs the shop meanwhile: {name}, {log.entries:,} entries",
        "",
        "An order's whole transaction with `order_placed.send()` and its commit, one every ten milliseconds, while",
        f"another process runs `purge_send_log`: {rows:,} rows in {seconds:,.0f} s. Milliseconds.",
        "",
        "| | median | p99 | longest | orders |",
        "|---|---:|---:|---:|---:|",
        _row("without", without),
        _row("meanwhile", meanwhile),
    ]
    return "\n".join([*lines, ""])


def _row(name: str, spent: list[float]) -> str:
    p99 = statistics.quantiles(spent, n=100, method="inclusive")[98]
    return f"| {name} | {statistics.median(spent):.2f} | {p99:.2f} | {max(spent):.2f} | {len(spent):,} |"


def _purge(log: Log) -> tuple[list[float], int, float]:
    entries = SendLogEntry.objects.using(log.alias)
    days = max(1, int((log.entries - MILLION) * RATE / 86_400))
    recorded, begun, spent = entries.count(), time.monotonic(), []
    with running("purge_send_log", "--database", log.alias, "--days", str(days)) as process:
        while not ended_well(process):
            spent.append(_order(log.alias))
    return spent, recorded + len(spent) - entries.count(), time.monotonic() - begun


def _order(using: str) -> float:
    time.sleep(PAUSE)
    begun = time.perf_counter()
    with transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute("INSERT INTO bench_order (total) VALUES (23412)")
        orders.place(using)
    return (time.perf_counter() - begun) * 1e3
