"""The same work on logs of all sizes, in turn."""

from __future__ import annotations

from functools import partial

from benchmarks.age.databases import Log
from benchmarks.age.operations import OPERATIONS
from benchmarks.turns import in_turn, quartiles

WARM_UP = 5
GOAL = 1.3


def report(title: str, logs: list[Log]) -> str:
    """Medians in milliseconds, with quartiles; the ratio of the largest log's to the smallest's."""
    sizes = [f"{log.entries:,} entries" for log in logs]
    lines = [
        f"### Age: {title}",
        "",
        f"Milliseconds, median (quartiles), and the ratio of the largest to the smallest. The goal is {GOAL}.",
        "",
        f"| | {' | '.join(sizes)} | ratio | rounds |",
        f"|---|{'---:|' * len(logs)}---:|---:|",
    ]
    lines += [_row(name, logs) for name in OPERATIONS]
    return "\n".join([*lines, ""])


def _row(name: str, logs: list[Log]) -> str:
    operation, rounds = OPERATIONS[name]
    ways = {log.alias: partial(operation, log.alias) for log in logs}
    in_turn(ways, WARM_UP)
    measured = [quartiles(values) for values in in_turn(ways, rounds).values()]
    cells = [f"{middle:,.2f} ({lower:,.2f} to {upper:,.2f})" for lower, middle, upper in measured]
    return f"| {name} | {' | '.join(cells)} | {measured[-1][1] / measured[0][1]:.2f} | {rounds} |"
