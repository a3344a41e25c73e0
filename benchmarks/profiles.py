"""Where the time goes: cProfile's shares, of an order on SQLite and of the drain from SQLite."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable
from pathlib import Path

from benchmarks import backlog, checkout, drain, orders
from django_vt.delivery import deliver_due

ORDERS = 500
SHOWN = 30


def report(_vendor: str) -> str:
    """Two tables. The profiler makes Python look slower than it is: they say where, the comparisons how long."""
    placed = _profiled("order_placed.send() on SQLite", _orders)
    backlog.record("default", drain.EVENTS)
    drained = _profiled("The drain from SQLite", lambda: deliver_due(using="default"))
    return f"{placed}\n{drained}"


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
