"""Where the time goes: cProfile's shares, of an order on SQLite, of the drain from each database, of the figures."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.db import connections

from benchmarks import backlog, checkout, drain, grown_log, orders, scale
from django_vt.delivery import deliver_due
from django_vt.models import SendAttempt, SendLogEntry

ORDERS = scale.of(500, smoke=5)
SHOWN = 30
SIZES = (scale.of(10_000, smoke=2_000), scale.of(200_000, smoke=4_000))
REPEATED = scale.of(50, smoke=1)


def report(_vendor: str) -> str:
    """Tables. The profiler makes Python look slower than it is: they say where, the comparisons how long."""
    profiled = [_profiled("order_placed.send() on SQLite", _orders), *map(_drain, connections)]
    return "\n".join([*profiled, *map(_figures, SIZES)])


def _drain(using: str) -> str:
    backlog.record(using, drain.EVENTS)
    return _profiled(f"The drain from {connections[using].display_name}", lambda: deliver_due(using=using))


def _figures(entries: int) -> str:
    for model in (SendAttempt, SendLogEntry):
        model.objects.all().delete()
    grown_log.fill("default", entries)
    return _profiled(f"`send_log_status`, {entries:,} entries in SQLite", _ask)


def _ask() -> None:
    for _time in range(REPEATED):
        call_command("send_log_status", "--format=json", stdout=StringIO())


def _orders() -> None:
    for _order in range(ORDERS):
        checkout.in_an_order("default", lambda: orders.place("default"))


def _profiled(title: str, work: Callable[[], object]) -> str:
    profile = cProfile.Profile()
    profile.runcall(work)
    calls = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = max(cumulative for _primitive, _calls, _own, cumulative, _callers in calls.values())
    lines = [
        f"### Profile: {title}",
        "",
        "| function | calls | own time | with what it calls |",
        "|---|---:|---:|---:|",
    ]
    for (file, _line, name), (_primitive, count, own, cumulative, _callers) in sorted(
        calls.items(), key=lambda call: -call[1][3]
    )[:SHOWN]:
        where = "/".join(Path(file).parts[-2:]) if file != "~" else "built in"
        lines.append(f"| `{where}` `{name}` | {count:,} | {own / total:.1%} | {cumulative / total:.1%} |")
    return "\n".join([*lines, ""])
