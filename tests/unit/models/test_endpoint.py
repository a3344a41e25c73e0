from __future__ import annotations

from datetime import datetime, timezone

import pytest
from django.utils.timezone import override

from django_vt.models import Endpoint
from django_vt.models.endpoint import by_address
from tests.support.delivering import endpoint, endpoint_row

pytestmark = pytest.mark.django_db

ADDRESS = "https://vendor.example/event"
NOW = 1_764_000_000_000
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


@pytest.fixture
def row() -> Endpoint:
    return endpoint_row()


def pause(row: Endpoint, now: int = NOW, *, seconds: float = 5, tell: bool = False) -> bool:
    return row.pause("answered: 503", now=now, seconds=seconds, tell=tell)


def test_of_workers_that_fail_at_once_only_the_first_counts(row):
    first, second = endpoint(), endpoint()
    pause(first, seconds=7)
    pause(second, seconds=70)
    assert (endpoint().consecutive_failures, endpoint().paused_until) == (1, NOW + 7 * SECOND)


def test_a_probe_that_lost_its_lease_lengthens_no_pause(row):
    pause(row)
    slow, quick = endpoint(), endpoint()
    slow.take_probe(NOW + 5 * SECOND, 120)
    quick.take_probe(NOW + 125 * SECOND, 120)
    pause(slow)
    assert endpoint().consecutive_failures == 1
    pause(quick)
    assert endpoint().consecutive_failures == 2


def test_a_wrong_configuration_is_told_once_an_outage(row):
    assert not pause(endpoint())
    assert pause(endpoint(), NOW + SECOND, tell=True)
    assert not pause(endpoint(), NOW + SECOND, tell=True)
    endpoint().recover(NOW + MINUTE, patience=2, counts=True)
    assert pause(endpoint(), NOW + SECOND + HOUR, tell=True)


def test_an_outage_is_told_when_it_lasts_for_a_quarter_of_an_hour(row):
    assert not pause(endpoint())
    assert not pause(endpoint(), NOW + 15 * MINUTE - 1)
    assert pause(endpoint(), NOW + 15 * MINUTE)


def test_a_worker_whose_failure_does_not_count_tells_nothing(row):
    late = endpoint()
    assert pause(endpoint(), tell=True)
    assert not pause(late, tell=True)


def test_what_was_told_by_a_wrong_clock_is_told_again(row):
    Endpoint.objects.update(told_at=NOW + 30 * 24 * HOUR, failure_told_at=NOW + 30 * 24 * HOUR)
    assert endpoint().alerts_of_failure(NOW)
    assert endpoint().alerts_of_misconfiguration(NOW)
    assert not endpoint().alerts_of_misconfiguration(NOW)
    assert not endpoint().alerts_of_failure(NOW + HOUR - 1)
    assert endpoint().alerts_of_failure(NOW + HOUR)


def test_of_workers_that_see_an_entry_fail_at_once_only_one_tells(row):
    first, second = endpoint(), endpoint()
    assert [first.alerts_of_failure(NOW), second.alerts_of_failure(NOW)] == [True, False]


def test_only_one_worker_gets_the_probe(row):
    pause(row)
    first, second = endpoint(), endpoint()
    assert first.take_probe(NOW + 5 * SECOND, 120) == endpoint().probe is not None
    assert second.take_probe(NOW + 5 * SECOND, 120) is None


def test_nobody_gets_a_probe_of_a_pause_that_another_has_lengthened(row):
    pause(row)
    late = endpoint()
    pause(endpoint())
    assert late.take_probe(NOW + HOUR, 120) is None


def test_nobody_gets_a_probe_before_the_pause_ends(row):
    pause(row)
    assert endpoint().take_probe(NOW + 5 * SECOND - 1, 120) is None


def test_a_probe_given_back_can_be_taken_again_but_only_by_its_holder_given_back(row):
    pause(row)
    token = endpoint().take_probe(NOW + 5 * SECOND, 120)
    assert token
    endpoint().give_back_probe("0" * 32)
    assert endpoint().probe == token
    endpoint().give_back_probe(token)
    assert endpoint().take_probe(NOW + 5 * SECOND, 120)


@pytest.mark.parametrize("ahead", [HOUR + 1, 30 * 24 * HOUR])
def test_a_pause_and_a_probe_further_ahead_than_they_can_be_are_over(row, ahead):
    Endpoint.objects.update(paused_until=NOW + ahead, probe="0" * 32, probe_until=NOW + ahead)
    assert not endpoint().is_paused(NOW)
    assert endpoint().closed_until(NOW, 120) == NOW
    assert endpoint().take_probe(NOW, 120)


def test_success_after_a_pause_starts_everything_afresh(row):
    pause(row, tell=True)
    probing = endpoint()
    probing.take_probe(NOW + 5 * SECOND, 120)
    probing.recover(NOW + 6 * SECOND, patience=3, counts=True)
    after = endpoint()
    assert after.is_open()
    assert after.closed_until(NOW, 120) is None
    assert (after.probe, after.probe_until, after.reason, after.paused_since) == (None, None, "", None)
    assert (after.last_success_at, after.accepted, after.patience) == (NOW + 6 * SECOND, 1, 3)


def test_a_success_that_was_begun_before_the_failure_opens_but_is_not_counted(row):
    row.note_failure(NOW)
    row.await_success()
    row.recover(NOW, patience=2, counts=False)
    assert (endpoint().failures_in_row, endpoint().accepted, endpoint().awaited) == (0, 0, True)


def test_success_is_written_at_most_once_a_minute(row, django_assert_num_queries):
    with django_assert_num_queries(2):  # the change, and a look at what the counter has become
        row.note_success(NOW)
        row.note_success(NOW + MINUTE - 1)
    assert endpoint().last_success_at == NOW
    row.note_success(NOW + MINUTE)
    assert (endpoint().last_success_at, endpoint().accepted) == (NOW + MINUTE, 2)


def test_a_success_that_somebody_waits_to_hear_of_is_written_at_once(row):
    row.note_success(NOW)
    assert row.await_success() == 1
    row.note_success(NOW + 1)
    assert (endpoint().accepted, endpoint().awaited) == (2, False)


def test_a_last_success_in_the_future_keeps_none_from_being_written(row):
    Endpoint.objects.update(last_success_at=NOW + 30 * 24 * HOUR)
    endpoint().note_success(NOW)
    assert endpoint().last_success_at == NOW


def test_a_success_that_was_under_way_ends_no_pause(row):
    under_way = endpoint()
    pause(endpoint(), seconds=600)
    under_way.note_success(NOW)
    assert endpoint().paused_until == NOW + 600 * SECOND


def test_sending_is_closed_until_pause_and_probe_are_over(row):
    pause(row)
    assert endpoint().is_paused(NOW)
    assert endpoint().closed_until(NOW, 120) == NOW + 5 * SECOND
    assert not endpoint().is_paused(NOW + 5 * SECOND)
    endpoint().take_probe(NOW + 5 * SECOND, 120)
    assert endpoint().closed_until(NOW + 5 * SECOND, 120) == NOW + 125 * SECOND


def test_failures_in_a_row_are_counted_by_the_database(row):
    first, second = endpoint(), endpoint()
    assert [first.note_failure(NOW), second.note_failure(NOW)] == [1, 2]


def test_patience_is_stored(row):
    row.set_patience(5)
    assert endpoint().patience == 5


def test_a_wake_is_planned_unless_one_comes_sooner(row):
    assert row.plan_wake(NOW + 10 * SECOND, NOW)
    assert not endpoint().plan_wake(NOW + 9 * SECOND, NOW)
    assert endpoint().plan_wake(NOW + 8 * SECOND, NOW)
    assert endpoint().plan_wake(NOW + 20 * SECOND, NOW + 8 * SECOND)


# The rows


def test_a_hold_is_for_all_accounts_or_for_one(row):
    endpoints = Endpoint.objects
    endpoints.hold("acc123")
    assert (endpoints.held(), endpoints.held("acc123"), endpoints.held("acc124")) == (False, True, False)
    assert endpoints.held_accounts() == ["acc123"]
    endpoints.hold()
    assert (endpoints.held(), endpoints.held("acc124")) == (True, True)
    endpoints.release("acc123")
    assert (endpoints.held(), endpoints.held_accounts()) == (True, [])
    endpoints.hold("acc124")
    endpoints.release()
    assert (endpoints.held(), endpoints.held("acc124")) == (False, False)
    assert endpoints.at(row.address) == [row]


@pytest.mark.parametrize(
    "changed", [{"account_id": "ACC"}, {"event_type": "Login"}, {"address": "https://V.example/é"}]
)
def test_addresses_are_told_apart_by_the_byte(changed):
    plain = {"account_id": "acc", "event_type": "login", "address": "https://v.example/e"}
    first = Endpoint.objects.row_of(**plain)
    second = Endpoint.objects.row_of(**{**plain, **changed})
    assert first.pk != second.pk
    assert Endpoint.objects.row_of(**plain) == first
    assert by_address([first, second], plain["address"]).get(("acc", "login")) == first


def test_times_are_told_to_people(row, settings):
    Endpoint.objects.update(paused_until=0, paused_since=1_500, last_success_at=NOW)
    told = endpoint()
    assert told.paused_until_moment == datetime(1970, 1, 1, tzinfo=timezone.utc)
    assert told.paused_since_moment == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=timezone.utc)
    settings.USE_TZ = False
    bucharests = datetime(2025, 11, 24, 18, 0)  # noqa: DTZ001 - as Django has it then
    assert told.last_success_moment == bucharests
    with override("Pacific/Auckland"):
        assert told.last_success_moment == bucharests
    assert (row.paused_until_moment, row.paused_since_moment, row.last_success_moment) == (None, None, None)


def test_its_name_is_account_and_address(row):
    assert str(row) == f"acc123 at {row.address}"
