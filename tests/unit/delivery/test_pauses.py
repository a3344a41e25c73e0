from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.utils import timezone

from django_vt.conf import DEFAULTS
from django_vt.delivery.claim import LONGEST_SLEEP, SHORTEST_SLEEP, Claim, Claimer
from django_vt.models import Endpoint, SendLogEntry
from tests.support.delivering import ACCOUNT, endpoint, endpoint_row, one, pending

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
    return endpoint_row(account_id, **columns)


def paused_endpoint(seconds: float, account_id: str = ACCOUNT, **columns: Any) -> Endpoint:
    until = timezone.now() + datetime.timedelta(seconds=seconds)
    return open_endpoint(account_id, consecutive_failures=1, paused_until=until, **columns)


# Pause and probe


def test_during_a_pause_nothing_is_taken(clock):
    one()
    paused_endpoint(5)
    clock.advance(4.999)
    assert take() is None


def test_after_the_pause_one_entry_probes_and_no_other_worker_does(clock):
    pending(3)
    paused_endpoint(5)
    clock.advance(5)
    claim = take()
    assert claim is not None
    assert len(claim.entries) == 1
    assert claim.probe == endpoint().probe is not None
    assert take() is None


def test_an_entry_that_is_no_suspect_probes_if_there_is_one(clock):
    one(batch_limit=1, waits=1, due_at=clock.now)
    other = one()
    paused_endpoint(0)
    assert taken() == [other.pk]


def test_among_suspects_they_take_turns(clock):
    """The one that probed waits the longest; none is due yet, or the end of an outage would go unnoticed for hours."""
    suspects = [one(batch_limit=1, waits=1, due_at=clock.now + datetime.timedelta(minutes=wait)) for wait in (9, 3, 6)]
    paused_endpoint(0)
    probes = []
    for _ in suspects:
        probes += taken()
        SendLogEntry.objects.filter(pk=probes[-1]).update(claim=None, due_at=clock.ms + 3_600_000)
        Endpoint.objects.update(probe=None, probe_until=None)
    assert probes == [suspects[1].pk, suspects[2].pk, suspects[0].pk]


def test_those_that_never_failed_alone_probe_before_those_that_have(clock):
    one(batch_limit=1, waits=1, due_at=clock.now - datetime.timedelta(hours=1))
    company = one(batch_limit=10, due_at=clock.now)
    paused_endpoint(0)
    assert taken() == [company.pk]


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
    take_probe = Endpoint.take_probe

    def take_it_after_another(self: Endpoint, now: int, lease: float) -> str | None:
        assert take_probe(endpoint(), now, lease)
        return take_probe(self, now, lease)

    monkeypatch.setattr(Endpoint, "take_probe", take_it_after_another)
    assert take() is None


def test_a_probe_whose_entry_another_has_taken_is_given_back(clock, monkeypatch):
    [entry] = pending()
    paused_endpoint(0)
    take_probe = Endpoint.take_probe

    def take_it_while_another_takes_the_entry(self: Endpoint, now: int, lease: float) -> str | None:
        token = take_probe(self, now, lease)
        assert taken(ids={entry.pk}) == [entry.pk]
        return token

    monkeypatch.setattr(Endpoint, "take_probe", take_it_while_another_takes_the_entry)
    assert take() is None
    assert endpoint().probe is None


def test_one_types_pause_does_not_hold_up_another(clock):
    paused_endpoint(60)
    one()
    other = one(event_type="login")
    assert taken() == [other.pk]


@pytest.mark.usefixtures("several_accounts")
def test_an_account_without_a_row_does_not_wait_for_the_pause_of_another(clock):
    paused_endpoint(60)
    other = one(account_id="other")
    assert taken() == [other.pk]


def test_a_pause_is_that_of_the_same_spelling(clock):
    """To MariaDB `ACC123` equals `acc123`."""
    paused_endpoint(60, account_id="ACC123")
    entry = one()
    assert taken() == [entry.pk]


@pytest.mark.usefixtures("several_accounts")
def test_one_accounts_pause_does_not_hold_up_another(clock):
    paused_endpoint(60)
    one()
    other = one(account_id="other")
    open_endpoint("other")
    assert taken() == [other.pk]
    assert taken() == []


def test_a_pause_of_another_address_is_no_pause(clock):
    endpoint_row(address="https://before.example/event", consecutive_failures=9, paused_until=clock.now)
    entries = pending(2)
    assert taken() == [entry.pk for entry in entries]


def test_the_first_claim_for_an_account_makes_its_row(clock):
    one()
    claim = take()
    assert claim is not None
    assert (endpoint().account_id, endpoint().event_type, endpoint().address) == (ACCOUNT, "wishlist", ADDRESS)


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


@pytest.mark.parametrize(("pause", "due_in", "seconds"), [(20, 0, 20), (20, 30, 20), (900, 0, LONGEST_SLEEP)])
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
    endpoint_row(
        address="https://before.example/event",
        consecutive_failures=9,
        paused_until=clock.now + datetime.timedelta(seconds=50),
    )
    assert seconds_until_due() == 7


@pytest.mark.usefixtures("several_accounts")
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
