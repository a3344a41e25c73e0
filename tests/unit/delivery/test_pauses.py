from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_vt.conf import DEFAULTS
from django_vt.delivery.claim import LONGEST_SLEEP, SHORTEST_SLEEP, Claim, Claimer
from django_vt.models import Endpoint
from tests.support.delivering import ACCOUNT, endpoint, one, pending, statements

pytestmark = pytest.mark.django_db

ADDRESS = str(DEFAULTS["ENDPOINT"])


def take(concurrency: int = 1, **wanted: Any) -> Claim | None:
    return Claimer("default", concurrency).take(**wanted)


def taken(**wanted: Any) -> list[int]:
    claim = take(**wanted)
    return [] if claim is None else [entry.pk for entry in claim.entries]


def seconds_until_due() -> float | None:
    return Claimer("default").seconds_until_due()


def open_endpoint(account_id: str = ACCOUNT, **columns: Any) -> Endpoint:
    return Endpoint.objects.create(account_id=account_id, address=ADDRESS, **columns)


def paused_endpoint(seconds: float, account_id: str = ACCOUNT, **columns: Any) -> Endpoint:
    until = timezone.now() + datetime.timedelta(seconds=seconds)
    return open_endpoint(account_id, consecutive_failures=1, paused_until=until, **columns)


# Pause and probe


def test_during_a_pause_nothing_is_taken(clock):
    one()
    paused_endpoint(5)
    clock.advance(4.999)
    assert take() is None


def test_during_a_pause_the_backlog_is_not_looked_through(clock):
    one()
    paused_endpoint(5)
    with CaptureQueriesContext(connection) as captured:
        take()
    assert statements(captured.captured_queries) == ["SELECT"]


def test_after_the_pause_one_entry_probes_and_no_other_worker_does(clock):
    pending(3)
    paused_endpoint(5)
    clock.advance(5)
    claim = take()
    assert claim is not None
    assert len(claim.entries) == 1
    assert claim.probe == endpoint().probe is not None
    assert take() is None


def test_the_probe_is_another_than_the_entry_that_opened_the_pause(clock):
    opener, other = pending(2)
    paused_endpoint(0, paused_by=opener.pk)
    assert taken() == [other.pk]


def test_the_entry_that_opened_the_pause_probes_if_it_is_the_only_one(clock):
    opener = one()
    paused_endpoint(0, paused_by=opener.pk)
    assert taken() == [opener.pk]


def test_of_entries_that_have_failed_in_company_the_one_in_the_largest_probes(clock):
    """The smaller the company in which one has failed, the likelier it is the one that the vendor stumbles over."""
    entries = [one(batch_limit=limit) for limit in (1, 2, 10, 5)]
    paused_endpoint(0)
    for suspect in sorted(entries, key=lambda entry: -entry.batch_limit):
        assert taken() == [suspect.pk]
        endpoint().reopen(clock.now)
        suspect.delete()
        Endpoint.objects.update(paused_until=clock.now)


def test_without_anything_due_there_is_no_probe(clock):
    paused_endpoint(0)
    assert take() is None
    assert endpoint().probe is None


def test_the_probe_of_a_crashed_worker_is_replaced_when_its_lease_ends(clock):
    first, _second = pending(2)
    paused_endpoint(0)
    assert taken() == [first.pk]
    clock.advance(119)
    assert take() is None
    clock.advance(1)
    assert len(taken()) == 1


def test_the_worker_that_comes_second_for_the_probe_gets_none(clock, monkeypatch):
    pending(2)
    paused_endpoint(0)
    look = Claimer._choose_probe

    def look_while_another_takes_it(self: Claimer, stale: Endpoint, now: datetime.datetime) -> list[int]:
        assert endpoint().take_probe(120)
        return look(self, stale, now)

    monkeypatch.setattr(Claimer, "_choose_probe", look_while_another_takes_it)
    assert take() is None


def test_a_probe_whose_entry_another_has_taken_is_given_back(clock, monkeypatch):
    [entry] = pending()
    paused_endpoint(0)
    look = Claimer._choose_probe

    def look_before_it_is_taken(self: Claimer, stale: Endpoint, now: datetime.datetime) -> list[int]:
        chosen = look(self, stale, now)
        assert taken(ids={entry.pk}) == chosen
        return chosen

    monkeypatch.setattr(Claimer, "_choose_probe", look_before_it_is_taken)
    assert take() is None
    assert endpoint().probe is None


def test_one_accounts_pause_does_not_hold_up_another(clock):
    paused_endpoint(60)
    one()
    other = one(account_id="other")
    open_endpoint("other")
    assert taken() == [other.pk]
    assert taken() == []


def test_a_pause_of_another_address_is_no_pause(clock):
    Endpoint.objects.create(
        account_id=ACCOUNT, address="https://before.example/event", consecutive_failures=9, paused_until=clock.now
    )
    entries = pending(2)
    assert taken() == [entry.pk for entry in entries]


def test_the_first_claim_for_an_account_makes_its_row(clock):
    one()
    claim = take()
    assert claim is not None
    assert claim.endpoint(ACCOUNT) == endpoint()
    assert (endpoint().account_id, endpoint().address) == (ACCOUNT, ADDRESS)


# How long until there is something to take


def test_with_nothing_pending_there_is_nothing_to_wait_for():
    one(status="sent", due_at=None)
    assert seconds_until_due() is None


@pytest.mark.parametrize(
    ("due_in", "seconds"), [(-100, SHORTEST_SLEEP), (0, SHORTEST_SLEEP), (7, 7), (3600, LONGEST_SLEEP)]
)
def test_the_wait_is_until_the_earliest_is_due_within_bounds(clock, due_in, seconds):
    one(due_at=clock.now + datetime.timedelta(seconds=due_in))
    one(due_at=clock.now + datetime.timedelta(days=1))
    assert seconds_until_due() == seconds


@pytest.mark.parametrize(("pause", "due_in", "seconds"), [(20, 0, 20), (20, 30, 30), (900, 0, LONGEST_SLEEP)])
def test_during_a_pause_the_wait_is_until_its_end(clock, pause, due_in, seconds):
    one(due_at=clock.now + datetime.timedelta(seconds=due_in))
    paused_endpoint(pause)
    assert seconds_until_due() == seconds


def test_while_another_has_the_probe_the_wait_is_until_it_has_run_out(clock):
    one()
    paused_endpoint(0, probe="0" * 32, probe_until=clock.now + datetime.timedelta(seconds=25))
    assert seconds_until_due() == 25


def test_a_pause_of_another_address_prolongs_no_wait(clock):
    one(due_at=clock.now + datetime.timedelta(seconds=7))
    Endpoint.objects.create(
        account_id=ACCOUNT,
        address="https://before.example/event",
        consecutive_failures=9,
        paused_until=clock.now + datetime.timedelta(seconds=50),
    )
    assert seconds_until_due() == 7


def test_the_wait_ends_with_the_first_account_that_has_something(clock):
    paused_endpoint(50)
    one()
    open_endpoint("other")
    one(account_id="other", due_at=clock.now + datetime.timedelta(seconds=7))
    paused_endpoint(3, account_id="idle")
    assert seconds_until_due() == 7


def test_an_open_account_with_nothing_pending_shortens_no_wait(clock):
    paused_endpoint(50)
    one()
    open_endpoint("other")
    assert seconds_until_due() == 50
