"""Where the time goes: cProfile's shares, of an order on SQLite and of the drain from each database."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable
from pathlib import Path

from django.db import connections

from benchmarks import backlog, checkout, drain, orders
from django_vt.delivery import deliver_due

ORDERS = 500
SHOWN = 30


def report(_vendor: str) -> str:
    """Tables. The profiler makes Python look slower than it is: they say where, the comparisons how long."""
    return "\n".join([_profiled("order_placed.send() on SQLite", _orders), *map(_drain, connections)])


def _drain(using: str) -> str:
    backlog.record(using, drain.EVENTS)
    return _profiled(f"The drain from {connections[using].display_name}", lambda: deliver_due(using=using))


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
