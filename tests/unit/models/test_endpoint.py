from __future__ import annotations

import datetime

import pytest

from django_vt.models import Endpoint
from tests.support.delivering import endpoint

pytestmark = pytest.mark.django_db

ADDRESS = "https://vendor.example/event"


@pytest.fixture
def row() -> Endpoint:
    return Endpoint.objects.create(account_id="acc123", address=ADDRESS)


def pause(row: Endpoint, *, retry_after: float | None = None, tell: bool = False, opened_by: int | None = None) -> bool:
    return row.pause("answered: 503", retry_after=retry_after, opened_by=opened_by, tell=tell)


def length_of_pause(clock) -> float:
    until = endpoint().paused_until
    assert until is not None
    return (until - clock.now).total_seconds()


def test_the_pause_doubles_from_5_seconds_to_15_minutes(row, clock):
    lengths = []
    for _ in range(10):
        pause(endpoint())
        lengths.append(length_of_pause(clock))
    assert lengths == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]


def test_a_pause_of_years_still_lasts_15_minutes(clock):
    pause(Endpoint.objects.create(account_id="acc123", address=ADDRESS, consecutive_failures=100_000))
    assert length_of_pause(clock) == 900


def test_a_pause_lasts_as_long_as_the_vendor_asks(row, clock):
    pause(row, retry_after=3600)
    assert length_of_pause(clock) == 3600


def test_of_workers_that_fail_at_once_only_the_first_counts(row, clock):
    first, second = endpoint(), endpoint()
    pause(first, retry_after=7)
    pause(second, retry_after=70)
    assert endpoint().consecutive_failures == 1
    assert length_of_pause(clock) == 7


def test_a_probe_that_lost_its_lease_lengthens_no_pause(row, clock):
    pause(row)
    clock.advance(5)
    slow, quick = endpoint(), endpoint()
    slow.take_probe(120)
    clock.advance(120)
    quick.take_probe(120)
    pause(slow)
    assert endpoint().consecutive_failures == 1
    pause(quick)
    assert endpoint().consecutive_failures == 2


def test_the_one_that_opened_the_pause_stays_known_until_sending_is_open(row, clock):
    pause(row, opened_by=1)
    pause(endpoint(), opened_by=2)
    assert endpoint().paused_by == 1
    endpoint().reopen(clock.now)
    assert endpoint().paused_by is None


def test_a_wrong_configuration_is_told_once_an_outage(row, clock):
    assert not pause(endpoint())
    assert pause(endpoint(), tell=True)
    assert not pause(endpoint(), tell=True)
    endpoint().reopen(clock.now)
    clock.advance(3600)
    assert pause(endpoint(), tell=True)


def test_a_worker_whose_failure_does_not_count_tells_nothing(row):
    late = endpoint()
    assert pause(endpoint(), tell=True)
    assert not pause(late, tell=True)


def test_only_one_worker_gets_the_probe(row, clock):
    pause(row)
    clock.advance(5)
    first, second = endpoint(), endpoint()
    assert first.take_probe(120) == endpoint().probe is not None
    assert second.take_probe(120) is None


def test_nobody_gets_a_probe_of_a_pause_that_another_has_lengthened(row, clock):
    pause(row)
    clock.advance(5)
    late = endpoint()
    pause(endpoint())
    clock.advance(900)
    assert late.take_probe(120) is None


def test_nobody_gets_a_probe_before_the_pause_ends(row, clock):
    pause(row)
    clock.advance(4.999)
    assert endpoint().take_probe(120) is None


def test_a_probe_given_back_can_be_taken_again_but_only_by_its_holder_given_back(row, clock):
    pause(row)
    clock.advance(5)
    token = endpoint().take_probe(120)
    assert token
    endpoint().give_back_probe("0" * 32)
    assert endpoint().probe == token
    endpoint().give_back_probe(token)
    assert endpoint().take_probe(120)


def test_success_after_a_pause_starts_everything_afresh(row, clock):
    pause(row, tell=True, opened_by=3)
    clock.advance(5)
    probing = endpoint()
    probing.take_probe(120)
    probing.reopen(clock.now)
    after = endpoint()
    assert after.is_open()
    assert after.closed_until() is None
    assert (after.paused_until, after.paused_by, after.probe, after.probe_until) == (None, None, None, None)
    assert (after.reason, after.paused_since, after.last_success_at) == ("", None, clock.now)


def test_success_is_written_at_most_once_a_minute(row, clock, django_assert_num_queries):
    first = clock.now
    with django_assert_num_queries(1):
        row.note_success(clock.now)
        row.note_success(clock.now)
        row.note_success(clock.advance(59.9))
    assert endpoint().last_success_at == first
    row.note_success(clock.advance(0.1))
    assert endpoint().last_success_at == clock.now


def test_a_success_that_was_under_way_ends_no_pause(row, clock):
    under_way = endpoint()
    pause(endpoint(), retry_after=600)
    under_way.note_success(clock.now)
    assert not endpoint().is_open()
    assert length_of_pause(clock) == 600


def test_sending_is_closed_until_pause_and_probe_are_over(row, clock):
    pause(row)
    assert endpoint().is_paused(clock.now)
    assert endpoint().closed_until() == clock.now + datetime.timedelta(seconds=5)
    clock.advance(5)
    assert not endpoint().is_paused(clock.now)
    endpoint().take_probe(120)
    assert endpoint().closed_until() == clock.now + datetime.timedelta(seconds=120)


def test_hold_and_release_concern_all_rows(row):
    Endpoint.objects.create(account_id="other", address=ADDRESS)
    assert not Endpoint.objects.held()
    Endpoint.objects.hold("third", ADDRESS)
    assert Endpoint.objects.held()
    assert list(Endpoint.objects.values_list("held_by_staff", flat=True)) == [True] * 3
    Endpoint.objects.release()
    assert not Endpoint.objects.held()


def test_its_name_is_account_and_address(row):
    assert str(row) == f"acc123 at {ADDRESS}"
