"""Ways to do the same, taken in turn: what else the machine does meanwhile falls on all of them alike."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping


def in_turn(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Each way's measurements: every round takes every way once, in an order drawn anew."""
    measured: dict[str, list[float]] = {name: [] for name in ways}
    order = list(ways)
    draw = random.Random(6)
    for _round in range(rounds):
        draw.shuffle(order)
        for name in order:
            measured[name].append(ways[name]())
    return measured


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """The lower quartile, the median, the upper quartile."""
    lower, middle, upper = statistics.quantiles(values, n=4)
    return lower, middle, upper
