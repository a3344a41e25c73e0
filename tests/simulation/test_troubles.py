"""Outages and clocks: nobody is burnt out, others are unaffected, and nothing stands still for long."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_vt.models import SendLogEntry
from tests.simulation.world import LATENCY, SimulatedWorker, World
from tests.support.delivering import ACCOUNT, statuses

pytestmark = [pytest.mark.ends, pytest.mark.unmeasured]

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def trouble(since: float, until: float, status: int, **whose: str) -> Callable[..., tuple[int, float]]:
    """The vendor answers that status for a time; to one account or type only, if such is named."""

    def answer(request, now):
        concerned = all(getattr(request, name) == value for name, value in whose.items())
        return (status if concerned and since <= now < until else 200), LATENCY

    return answer


def every(world: World, seconds: float, until: float, **columns: str) -> None:
    """An order comes every so often."""
    for number in range(1, int(until / seconds)):
        world.at(number * seconds, lambda: world.order(**columns))


def busiest_hour(world: World, since: float, until: float) -> int:
    """The most requests to trouble that came within an hour."""
    asked = [at for at, _request, status in world.vendor.requests if status != 200 and since <= at < until]
    return max(sum(first <= at < first + HOUR for at in asked) for first in asked)


def test_a_bad_entry_that_comes_in_a_pause_stops_nobody(world):
    """Twenty share a request that gets one 503; then an order comes that always gets 500."""
    world.workers.append(SimulatedWorker(world))
    world.vendor.trouble = trouble(0, 0.02, 503)
    world.order(20)
    world.at(1, lambda: world.order(bad=(500, LATENCY)))
    world.run(2 * MINUTE)
    assert world.all_good_through_at() <= 60, world.figures()


def test_one_type_answered_400_for_ten_minutes_fails_nobody(world):
    world.workers.append(SimulatedWorker(world))
    end = 10 * MINUTE
    world.vendor.trouble = trouble(0, end, 400, event_type="confirmation")
    world.order(300)
    every(world, 30, 20 * MINUTE)
    every(world, 31, 20 * MINUTE, event_type="login")
    world.run(end + 20 * MINUTE)
    assert set(statuses()) == {"sent"}
    logins = SendLogEntry.objects.filter(event_type="login").values_list("pk", flat=True)
    assert max(world.vendor.accepted_at[pk] - world.arrived_at[pk] for pk in logins) <= 1


@pytest.mark.parametrize(
    ("status", "whose", "lasts"),
    [
        pytest.param(500, {}, 3 * DAY, id="all"),
        pytest.param(503, {"event_type": "confirmation"}, 3 * DAY, id="one type"),
        pytest.param(400, {"account_id": ACCOUNT}, 6 * HOUR, id="one account"),
        pytest.param(0, {}, 6 * HOUR, id="time-outs"),
    ],
)
def test_an_outage_of_three_days_burns_out_nobody(world, status, whose, lasts):
    world.workers.append(SimulatedWorker(world))
    world.vendor.trouble = trouble(0, lasts, status, **whose)
    world.order(50)
    every(world, 2 * HOUR, lasts)
    every(world, 2 * HOUR, lasts, account_id="other", event_type="login")
    world.run(lasts + HOUR)
    assert set(statuses()) == {"sent"}
    assert SendLogEntry.objects.filter(attempts__gt=0).count() == 0
    addresses = 1 if whose else 2
    assert busiest_hour(world, HOUR, lasts) <= 12 * addresses
    if whose:
        logins = SendLogEntry.objects.filter(account_id="other").values_list("pk", flat=True)
        assert max(world.vendor.accepted_at[pk] - world.arrived_at[pk] for pk in logins) <= 1


def test_one_entry_alone_in_an_outage_is_sent_when_the_next_is_accepted(world):
    world.workers.append(SimulatedWorker(world))
    world.vendor.trouble = trouble(0, DAY, 500)
    world.order()
    world.at(DAY + 1, world.order)
    world.run(DAY + MINUTE)
    assert statuses() == {"sent": 2}


# Clocks


@pytest.mark.parametrize("skews", [(130, 0), (30 * DAY, -30 * DAY)])
@pytest.mark.parametrize("use_tz", [True, False])
def test_the_clocks_of_machines_do_not_matter(world, settings, skews, use_tz):
    settings.USE_TZ = use_tz
    world.workers += [SimulatedWorker(world, skew=skew) for skew in skews]
    world.vendor.trouble = trouble(2, 20, 503)
    world.order(100)
    every(world, 2, 2 * MINUTE)
    world.run(5 * MINUTE)
    assert set(statuses()) == {"sent"}
    assert set(world.vendor.received.values()) == {1}
    assert max(world.delays(since=MINUTE)) <= 1


@pytest.mark.parametrize("skew", [30 * DAY, HOUR, -HOUR, -30 * DAY])
def test_a_database_whose_clock_was_wrong_for_a_moment_goes_on_within_a_minute(world, skew):
    """One 503 while it is wrong: the pause, and whoever waits, lie as far ahead as it was."""
    world.workers.append(SimulatedWorker(world))
    world.vendor.trouble = trouble(60, 70, 503)
    every(world, 2, 5 * MINUTE)
    world.at(59, lambda: setattr(world, "database_skew", skew))
    world.at(71, lambda: setattr(world, "database_skew", 0.0))
    world.run(8 * MINUTE)
    assert set(statuses()) == {"sent"}
    assert set(world.vendor.received.values()) == {1}
    assert max(world.delays()) <= 71 - 59 + MINUTE + 20


# Kills


def test_a_killed_workers_entries_are_sent_when_its_lease_is_over(world):
    world.workers.append(SimulatedWorker(world))
    world.order(100)
    world.at(0.04, world.workers[0].kill)
    world.run(3 * MINUTE)
    assert statuses() == {"sent": 100}
    # At most what was in flight, and what was answered within 50 ms and not stored yet.
    assert sum(world.vendor.received.values()) - 100 <= 40


@pytest.mark.parametrize("workers", [1, 2, 4, 8])
def test_the_oldest_of_a_standing_backlog_waits_no_longer_than_twice_first_in_first_out(world, workers):
    world.workers += [SimulatedWorker(world) for _ in range(workers)]
    world.order(200 * workers)
    rate = workers * 20 / LATENCY  # entries a second
    for number in range(10):
        world.at(number * 40 / rate, lambda: world.order(40))
    world.run(MINUTE)
    waited = [world.vendor.accepted_at[pk] - at for pk, at in world.arrived_at.items()]
    assert max(waited) <= 2 * (200 * workers + 40) / rate + LATENCY


# Anything at once

SCENARIOS = st.fixed_dictionaries(
    {
        "backlog": st.integers(0, 60),
        "bad": st.lists(st.sampled_from([(500, LATENCY), (400, LATENCY), (0, 10.0)]), max_size=6),
        "outage": st.tuples(st.floats(0, 300), st.floats(0, 1800), st.sampled_from([500, 503, 400, 403, 0])),
        "skews": st.lists(st.sampled_from([0.0, 130.0, -30 * DAY, 30 * DAY]), min_size=1, max_size=3),
        "kills": st.lists(st.floats(0, 120), max_size=3),
        "concurrency": st.sampled_from([1, 4]),
    }
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scenario=SCENARIOS)
def test_whatever_comes_together_good_entries_arrive_and_bad_ones_fail_alone(world, scenario):
    SendLogEntry.objects.all().delete()
    world.begin_again()
    world.workers += [SimulatedWorker(world, scenario["concurrency"], skew) for skew in scenario["skews"]]
    since, lasts, status = scenario["outage"]
    world.vendor.trouble = trouble(since, since + lasts, status)
    world.order(scenario["backlog"])
    for number, bad in enumerate(scenario["bad"]):
        world.at(3 * number + 1, lambda bad=bad: world.order(bad=bad))
    every(world, 60, 20 * MINUTE)
    for number, at in enumerate(scenario["kills"]):
        world.at(at, world.workers[number % len(world.workers)].kill)
    every_later = since + lasts + 2 * HOUR
    world.at(every_later, world.order)
    world.run(every_later + 10 * MINUTE)
    good = world.good()
    assert {world.vendor.received[pk] for pk in good} >= {1} or not good
    assert SendLogEntry.objects.filter(pk__in=good).exclude(status="sent").count() == 0
    doubles = sum(world.vendor.received[pk] - 1 for pk in good)
    assert doubles <= len(scenario["kills"]) * 80
