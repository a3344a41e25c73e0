"""Whose fault it was, and who waits for it: the scenarios of the guarantees, each with its figures."""

from __future__ import annotations

import random
from statistics import median

import pytest

from tests.simulation.world import LATENCY, SimulatedWorker, World
from tests.support.delivering import statuses

pytestmark = [pytest.mark.any_database, pytest.mark.ends]


def backlog(world: World, count: int, share: float, bad: tuple[int, float]) -> None:
    """So many orders wait; the vendor stumbles over a share of them, wherever in the backlog they are."""
    entries = world.order(count)
    for entry in random.Random(1).sample(entries, round(count * share)):
        world.vendor.bad[entry.pk] = bad


def orders_come(world: World, seconds: float, every: float) -> None:
    """Good orders come one at a time."""
    for number in range(1, int(seconds / every)):
        world.at(number * every, world.order)


SCENARIOS = [
    # count, share, bad, concurrency, all through, fresh median, fresh longest, requests in the time, seconds
    pytest.param(2000, 0.01, (500, LATENCY), 1, 60, 1, 15, 400, 240, id="1% answered 500"),
    pytest.param(2000, 0.01, (0, 10.0), 1, 300, 5, 30, 400, 900, id="1% hang, one worker"),
    pytest.param(2000, 0.01, (0, 10.0), 4, 60, 5, 30, 400, 900, id="1% hang, four at once"),
    pytest.param(600, 0.3, (500, LATENCY), 1, 120, 1, 15, 1200, 3600, id="30% answered 500"),
    pytest.param(2000, 0.3, (400, LATENCY), 1, 120, 1, 15, 2600, 900, id="30% answered 400"),
]


@pytest.mark.parametrize(
    ("count", "share", "bad", "concurrency", "through", "middle", "longest", "requests", "seconds"), SCENARIOS
)
def test_bad_entries_hold_up_no_good_ones(
    world, count, share, bad, concurrency, through, middle, longest, requests, seconds
):
    world.workers.append(SimulatedWorker(world, concurrency))
    backlog(world, count, share, bad)
    orders_come(world, 120, every=2.0)
    world.run(seconds)
    fresh = world.delays()
    figures = world.figures()
    print(figures, statuses())
    of_backlog = len(world.vendor.requests) - len(fresh)
    assert world.all_good_through_at() <= through, figures
    assert median(fresh) <= middle and max(fresh) <= longest, figures
    assert of_backlog <= requests, figures
