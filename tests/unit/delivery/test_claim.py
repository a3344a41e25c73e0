from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_vt.conf import DEFAULTS
from django_vt.delivery.claim import LONGEST_SLEEP, Claim, Claimer
from django_vt.models import Endpoint, SendLogEntry, fast_sql
from django_vt.models.send_log import SendLogQuerySet
from tests.support.delivering import ACCOUNT, configure, endpoint_row, one, pending, statements

pytestmark = pytest.mark.django_db

ADDRESS = str(DEFAULTS["ENDPOINT"])


@pytest.fixture(autouse=True)
def _several_accounts(settings: Any) -> None:
    """What is for an account that the settings do not name is not sent."""
    named = {f"{account}.example": account for account in (ACCOUNT, "other", "idle")}
    configure(settings, ACCOUNT_ID=named)


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
    assert entry.due_at == claim.until == clock.ms + 120_000


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


def test_the_oldest_is_taken_first_whoever_looks():
    """It is somebody's as soon as anybody looks, however many entries there are."""
    entries = pending(64)
    assert taken(limit=8) == [entry.pk for entry in entries[:8]]


def test_those_that_never_failed_come_before_those_that_have(clock):
    failed = [one(due_at=clock.now - datetime.timedelta(hours=1), batch_limit=1, waits=waits) for waits in (1, 0)]
    fresh = pending(3)
    assert taken(limit=3) == [*(entry.pk for entry in failed), *(entry.pk for entry in fresh)]


def test_of_those_that_have_failed_the_ones_that_were_only_in_bad_company_come_first(settings, clock):
    configure(settings, BATCH_SIZE=1)
    earlier = clock.now - datetime.timedelta(hours=1)
    alone, company = one(due_at=earlier, batch_limit=1, waits=1), one(due_at=clock.now, batch_limit=1)
    assert (taken(), taken()) == ([company.pk], [alone.pk])


def test_a_worker_looks_again_when_others_were_quicker(monkeypatch):
    """Where the database has no UPDATE … RETURNING: from the look to the change another may come."""
    entries = pending(2)
    honest = fast_sql._change
    beaten: list[str] = []

    def change_too_late(becomes: str, condition: str, parameters: list[Any], ids: Any, using: str) -> int:
        if not beaten:
            beaten.append("0" * 32)
            honest(becomes, condition, [beaten[0], *parameters[1:]], [entries[0].pk, entries[1].pk], using)
            SendLogEntry.objects.filter(pk=entries[1].pk).update(claim=None, due_at=0)
        return honest(becomes, condition, parameters, ids, using)

    monkeypatch.setattr(fast_sql, "_change", change_too_late)
    with without_returning(monkeypatch):
        assert taken() == [entries[1].pk]


def test_a_worker_that_collides_looks_further_back_and_then_at_the_front_again(monkeypatch):
    entries = pending(3)
    skips: list[int] = []
    honest = fast_sql.claim

    def claim(wanted: Any, token: str, until: int, using: str, *, skip: int = 0) -> Any:
        skips.append(skip)
        if len(skips) == 1:
            return fast_sql.Taken(token, [], collided=True)
        return honest(wanted, token, until, using, skip=skip)

    monkeypatch.setattr(fast_sql, "claim", claim)
    with without_returning(monkeypatch):
        assert taken() == [entry.pk for entry in entries]
    assert skips[0] == skips[2] == 0 < skips[1]


@contextmanager
def without_returning(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The database as one that has no UPDATE … RETURNING."""
    with monkeypatch.context() as patch:
        patch.setattr(fast_sql, "_updates_return", lambda using: False)
        yield


@pytest.mark.django_db(transaction=True)
def test_what_a_lost_statement_had_claimed_is_found_by_its_token(monkeypatch):
    """The claim was committed, and the connection ended before the answer was there."""
    [entry] = pending()
    honest = SendLogQuerySet.take

    def take_and_lose_the_answer(*args: Any, **named: Any) -> Any:
        honest(*args, **named)
        monkeypatch.setattr(SendLogQuerySet, "take", honest)
        raise OperationalError

    monkeypatch.setattr(SendLogQuerySet, "take", take_and_lose_the_answer)
    assert taken() == [entry.pk]


@pytest.mark.parametrize("columns", [{"claim": "a" * 32}, {"batch_limit": 1}])
def test_what_is_due_further_ahead_than_it_can_be_is_due(clock, columns):
    """A machine was a month ahead for a moment when it stored that."""
    entry = one(due_at=clock.now + datetime.timedelta(days=30), **columns)
    assert taken() == [entry.pk]


def test_a_worker_looks_for_what_a_wrong_clock_has_put_off_once_a_minute(clock):
    claimer = Claimer("default")
    claimer.take()
    entry = one(due_at=clock.now + datetime.timedelta(days=30))
    clock.advance(59)
    assert claimer.take() is None
    clock.advance(1)
    claim = claimer.take()
    assert claim is not None
    assert [each.pk for each in claim.entries] == [entry.pk]


def test_claims_grow_while_they_are_worked_off_quickly_and_shrink_again(clock):
    pending(2000)
    claimer, sizes = Claimer("default"), []
    for seconds in (1, 1, 1, 1, 1.001, 1):
        claim = claimer.take()
        assert claim is not None
        sizes.append(len(claim.entries))
        clock.advance(seconds)
        claimer.worked_off(claim)
    assert sizes == [80, 160, 320, 640, 640, 80]


def test_what_is_newer_goes_first_where_asked_for():
    old, *new = pending(3)
    claim = Claimer("default").take(limit=1, newer_than=old.pk)
    assert claim is not None
    assert [entry.pk for entry in claim.entries] == [new[1].pk]


@pytest.mark.usefixtures("several_accounts")
def test_one_accounts_hold_holds_up_no_other():
    one()
    other = one(account_id="other")
    Endpoint.objects.hold(ACCOUNT)
    assert taken() == [other.pk]
    assert seconds_until_due() == LONGEST_SLEEP


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


def test_while_staff_hold_sending_nothing_is_taken():
    entry = one()
    Endpoint.objects.hold()
    assert take() is None
    assert take(ids={entry.pk}) is None
    assert seconds_until_due() == LONGEST_SLEEP
    Endpoint.objects.release()
    assert taken() == [entry.pk]


# What it costs

# The database's clock, the endpoints, and once a minute what a wrong clock has put off.
LOOK = ["SELECT", "SELECT", "UPDATE"]
# One statement where the database has UPDATE … RETURNING.
CLAIM = ["SELECT", "UPDATE", "SELECT"] if connection.vendor == "mysql" else ["WITH"]


def test_a_claim_is_a_look_at_the_endpoints_and_one_statement():
    open_endpoint()
    pending(30)
    with CaptureQueriesContext(connection) as captured:
        assert taken()
    assert statements(captured.captured_queries) == [*LOOK, *CLAIM]


def test_a_probe_is_one_more():
    pending(3)
    paused_endpoint(-1)
    with CaptureQueriesContext(connection) as captured:
        assert taken()
    assert statements(captured.captured_queries) == [*LOOK, "UPDATE", *CLAIM]


def test_looking_where_nothing_is_due_is_no_more():
    open_endpoint()
    with CaptureQueriesContext(connection) as captured:
        assert not taken()
    assert statements(captured.captured_queries) == [*LOOK, CLAIM[0]]
