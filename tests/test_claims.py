from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_vt.claims import LONGEST_SLEEP, SHORTEST_SLEEP, Claim, Claimer
from django_vt.conf import DEFAULTS
from django_vt.models import Endpoint, SendLogEntry
from tests.delivering import ACCOUNT, configure, endpoint, one, pending, statements

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


# Taking


def test_what_is_due_is_taken_and_nothing_else(clock):
    due, later = one(), one(due_at=timezone.now() + datetime.timedelta(seconds=1))
    one(status="sent", due_at=None)
    assert taken() == [due.pk]
    clock.advance(1)
    assert taken() == [later.pk]


def test_nothing_to_take_is_no_claim():
    assert take() is None


def test_a_claim_names_its_entries_and_lasts_for_the_lease(clock):
    entry = one()
    claim = take()
    assert claim is not None
    entry.refresh_from_db()
    assert entry.claim == claim.token
    assert entry.due_at == claim.until == clock.now + datetime.timedelta(seconds=120)


def test_claims_are_never_told_apart_by_anything_that_repeats():
    pending(3)
    tokens = {claim.token for claim in iter(lambda: take(limit=1), None)}
    assert len(tokens) == 3


def test_what_one_worker_has_no_other_gets(clock):
    entries = pending(30)
    first, second = taken(limit=20), taken(limit=20)
    assert (len(first), len(second), taken()) == (20, 10, [])
    assert sorted(first + second) == [entry.pk for entry in entries]


def test_what_a_crashed_worker_had_comes_back_when_its_lease_ends(clock):
    entry = one()
    take()
    clock.advance(119.999)
    assert take() is None
    clock.advance(0.001)
    assert taken() == [entry.pk]


def test_workers_that_look_at_the_same_moment_start_at_different_entries():
    pending(64)
    starts = set()
    for _ in range(12):
        claim = take(limit=8)
        assert claim is not None
        starts.add(claim.entries[0].pk)
        SendLogEntry.objects.give_back([entry.pk for entry in claim.entries], claim.token)
        SendLogEntry.objects.update(due_at=timezone.now())
    assert len(starts) > 2


def test_a_worker_looks_again_when_others_were_quicker(monkeypatch):
    entries = pending(2)
    verbs = type(SendLogEntry.objects.all())
    honest = verbs.take
    beaten: list[str] = []

    def take_too_late(self: Any, ids: list[int], lease: float) -> str:
        if not beaten:
            beaten.append(honest(self, ids[:1], lease))
            return "0" * 32
        return honest(self, ids, lease)

    monkeypatch.setattr(verbs, "take", take_too_late)
    assert taken() == [entries[1].pk]


@pytest.mark.django_db(transaction=True)
def test_no_claim_is_made_inside_a_transaction():
    entry = one()
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        take()
    entry.refresh_from_db()
    assert entry.claim is None


@pytest.mark.parametrize(
    ("settings_", "concurrency", "size"),
    [
        ({}, 1, 80),  # four requests of up to 13.05 s in 60 s
        ({}, 4, 320),
        ({"BATCH_SIZE": 5}, 1, 20),
        ({"LEASE": 27}, 1, 20),
        ({"LEASE": 3}, 1, 20),
        ({"TIMEOUT": (1, 1)}, 1, 600),
        ({"TIMEOUT": (1, 1)}, 4, 900),
    ],
)
def test_no_more_is_taken_than_half_the_lease_is_enough_for(settings, settings_, concurrency, size):
    configure(settings, **settings_)
    pending(1000)
    claim = take(concurrency)
    assert claim is not None
    assert len(claim.entries) == size


def test_a_limit_below_that_holds():
    pending(5)
    assert len(taken(limit=2)) == 2


# Of some only


def test_only_the_wanted_are_taken_and_only_if_due():
    wanted, other = pending(2)
    sent = one(status="sent", due_at=None)
    assert taken(ids={wanted.pk, sent.pk}) == [wanted.pk]
    assert taken(ids={wanted.pk, sent.pk}) == []
    assert taken() == [other.pk]


def test_the_wanted_may_be_many_of_which_the_first_are_not_due():
    not_due = pending(1000, status="sent", due_at=None)
    due = one()
    assert taken(ids={entry.pk for entry in [*not_due, due]}) == [due.pk]


def test_the_wanted_are_taken_in_spite_of_a_pause_and_are_no_probe(clock):
    paused_endpoint(60)
    entry = one()
    claim = take(ids={entry.pk})
    assert claim is not None
    assert claim.probe is None


# Hold


@pytest.mark.parametrize("address", [ADDRESS, "https://before.example/event"])
def test_while_staff_hold_sending_nothing_is_taken(address):
    entry = one()
    Endpoint.objects.hold(ACCOUNT, address)
    assert take() is None
    assert take(ids={entry.pk}) is None
    assert seconds_until_due() == LONGEST_SLEEP
    Endpoint.objects.release()
    assert taken() == [entry.pk]


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


# What it costs


def test_a_claim_is_four_statements():
    open_endpoint()
    pending(30)
    with CaptureQueriesContext(connection) as captured:
        assert taken()
    assert statements(captured.captured_queries) == ["SELECT", "SELECT", "UPDATE", "SELECT"]


def test_a_probe_is_two_more():
    pending(3)
    paused_endpoint(-1)
    with CaptureQueriesContext(connection) as captured:
        assert taken()
    assert statements(captured.captured_queries) == ["SELECT", "SELECT", "UPDATE", "SELECT", "UPDATE", "SELECT"]


def test_looking_where_nothing_is_due_is_two_statements():
    open_endpoint()
    with CaptureQueriesContext(connection) as captured:
        assert not taken()
    assert statements(captured.captured_queries) == ["SELECT", "SELECT"]
