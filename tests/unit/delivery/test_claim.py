from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_vt.conf import DEFAULTS
from django_vt.delivery.claim import LONGEST_SLEEP, Claim, Claimer
from django_vt.models import Endpoint, SendLogEntry
from tests.support.delivering import ACCOUNT, configure, one, pending, statements

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
        ({"BATCH_SIZE": 5}, 1, 20),
        ({"BATCH_SIZE": 5}, 4, 80),
        ({"LEASE": 27}, 1, 20),
        ({"LEASE": 3}, 1, 20),
    ],
)
def test_no_more_is_taken_than_half_the_lease_is_enough_for(settings, settings_, concurrency, size):
    configure(settings, **settings_)
    pending(1000)
    claim = take(concurrency)
    assert claim is not None
    assert len(claim.entries) == size


@pytest.mark.parametrize(("settings_", "size"), [({}, 160), ({"BATCH_SIZE": 200}, 200), ({"TIMEOUT": (1, 1)}, 160)])
def test_no_more_is_taken_at_once_than_answers_can_wait_for(settings, settings_, size):
    configure(settings, **settings_)
    pending(1000)
    claim = take(4)
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
