from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_vt import remember_identity, track
from django_vt.delivery import deliver_due
from django_vt.events import Event
from django_vt.identity import Identity
from django_vt.management.commands import forget_shopper
from django_vt.models import RememberedIdentity, SendAttempt, SendLogEntry
from django_vt.operations import forgetting
from django_vt.protocol.addresses import hash_of_address
from django_vt.recording import attribution
from tests.support.delivering import configure, one, pending, statuses
from tests.support.dump import dump
from tests.support.forgettable import (
    ADDRESS,
    PIXEL,
    SESSION,
    TRACES,
    USER,
    VTSID,
    after,
    is_forgotten,
    order,
    shopper_s_request,
    traces_in,
)
from tests.support.ordering import confirmation
from tests.support.people import url
from tests.support.table_scans import scans
from tests.unit.management.commands.conftest import fails, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_is_sent_by_itself")]

# The whole


@pytest.fixture
def staff(db):
    """A browser in which staff have looked the shopper up and sent the failed order again."""
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    return client


def test_no_trace_of_a_shopper_is_left_in_the_database(life, staff, clock, monkeypatch):
    monkeypatch.setattr(forget_shopper, "_sleep", clock.advance)
    for text in (ADDRESS, f"{USER}_{SESSION}", "nobody.canary@example.com"):
        staff.post(url("search"), {"text": text})
    staff.post(url("resend"), {"ids": str(life["failed"].pk), "confirmed": "yes"})
    assert set(traces_in(dump())) == set(TRACES)

    run("forget_shopper", ADDRESS)

    assert traces_in(dump()) == []
    assert "other@example.com" in dump()
    assert [row.key for row in RememberedIdentity.objects.all()] == [attribution.key_of("8")]


def test_it_counts_what_it_has_forgotten_by_status_and_names_nobody(life, clock, monkeypatch, caplog):
    monkeypatch.setattr(forget_shopper, "_sleep", clock.advance)
    said = run("forget_shopper", ADDRESS)
    assert said.startswith("Forgot 10 entries (7 pending, 1 sent, 1 failed, 1 skipped) and 1 remembered identity.\n")
    assert traces_in(said + caplog.text) == []


def test_the_skeleton_stays_for_the_books(life, clock, monkeypatch):
    monkeypatch.setattr(forget_shopper, "_sleep", clock.advance)
    before = {name: after(entry) for name, entry in life.items()}
    run("forget_shopper", ADDRESS)
    stay = ["event_type", "dedup_key", "created_at", "sent_at", "attempts", "response_status", "account_id"]
    for name, entry in before.items():
        assert [getattr(after(entry), column) for column in stay] == [getattr(entry, column) for column in stay], name
    assert [after(life[name]).reference for name in ("pending", "sent", "failed", "skipped")] == ["1", "3", "4", "5"]
    assert [(after(life[name]).status, after(life[name]).reason) for name in ("pending", "sent", "failed")] == [
        ("skipped", "forgotten"), ("sent", ""), ("failed", "forgotten"),
    ]  # fmt: skip
    assert SendAttempt.objects.count() == 2


def test_a_dry_run_counts_the_same_and_changes_nothing(life):
    before = dump()
    assert run("forget_shopper", ADDRESS, "--dry-run") == (
        "Would forget 10 entries (7 pending, 1 sent, 1 failed, 1 skipped) and 1 remembered identity.\n"
    )
    assert dump() == before


@pytest.mark.parametrize(
    "arguments", [[ADDRESS], ["--pixel", f"{USER}_{SESSION}_false_false"], ["--pixel", USER], ["--vtsid", VTSID]]
)
def test_a_second_time_finds_nothing_and_is_no_error(life, clock, monkeypatch, arguments):
    monkeypatch.setattr(forget_shopper, "_sleep", clock.advance)
    assert run("forget_shopper", *arguments).startswith("Forgot ")
    before = dump()
    assert run("forget_shopper", *arguments).startswith("Found nothing to forget. Searched for ")
    assert dump() == before


def test_it_works_in_short_transactions_and_comes_to_an_end(monkeypatch):
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    pending(5, email_hash=hash_of_address(ADDRESS))
    with CaptureQueriesContext(connection) as captured:
        run("forget_shopper", ADDRESS)
    changes = [query["sql"] for query in captured.captured_queries if query["sql"].startswith("UPDATE")]
    assert len([sql for sql in changes if "payload" in sql]) >= 3
    assert statuses() == {"skipped": 5}


# What is under way


def test_nothing_of_it_is_sent_afterwards(life, clock, script, monkeypatch):
    monkeypatch.setattr(forget_shopper, "_sleep", clock.advance)
    run("forget_shopper", ADDRESS)
    clock.advance(timedelta(days=2).total_seconds())
    deliver_due()
    assert script.times_sent == {life["another's"].pk: 1}


def test_it_waits_until_a_worker_can_no_longer_send_what_it_holds(clock, monkeypatch):
    until = clock.now + timedelta(seconds=100)
    order("1", claim="a" * 32, due_at=clock.ms + 100_000)
    order("2", claim="b" * 32, due_at=clock.ms + 50_000)
    order("3", "sent", claim=None)
    waited = []

    def wake_too_early(seconds):
        waited.append(seconds)
        clock.advance(seconds / 2 + 1)

    monkeypatch.setattr(forget_shopper, "_sleep", wake_too_early)
    said = run("forget_shopper", ADDRESS)
    assert clock.now >= until
    assert waited[0] == 100
    assert "until 2026-11-23 14:01:40 EET.\nFrom now on nothing of it is sent.\n" in said


def test_it_waits_for_no_worker_that_has_none_of_it(clock, monkeypatch):
    monkeypatch.setattr(forget_shopper, "_sleep", lambda seconds: pytest.fail("waits"))
    order("1", claim="a" * 32, due_at=clock.ms - 1000)
    one(claim="b" * 32, due_at=clock.ms + 100_000)
    assert "A worker" not in run("forget_shopper", ADDRESS)


def test_a_worker_sends_at_most_what_it_had_claimed_and_only_within_its_lease(clock, script, settings, monkeypatch):
    """What the waiting relies on."""
    configure(settings, BATCH_SIZE=1)
    monkeypatch.setattr(forget_shopper, "_sleep", clock.advance)
    for number in range(3):
        order(str(number))

    def answer(request):
        if len(script.requests) == 1:
            run("forget_shopper", ADDRESS)
        return 200

    script.answer = answer
    deliver_due()
    assert len(script.requests) == 1
    assert statuses() == {"skipped": 3}


@pytest.mark.parametrize("status", ["pending", "sent", "failed", "skipped"])
def test_a_forgotten_order_that_is_signalled_again_stays_forgotten(status):
    entry = order("1", status)
    run("forget_shopper", ADDRESS)
    before = SendLogEntry.objects.values().get()
    track(confirmation(order_id="1", email=ADDRESS), identity=PIXEL)
    assert SendLogEntry.objects.values().get() == before
    assert is_forgotten(entry)


@pytest.mark.parametrize("status", ["pending", "sent", "failed", "skipped"])
def test_what_was_forgotten_is_not_resent(status, script):
    entry = order("1", status)
    run("forget_shopper", ADDRESS)
    said = fails("resend", str(entry.pk)).printed
    assert "Left as they were: 1 with nothing to send" in said
    assert script.requests == []
    assert is_forgotten(entry)


# What it is told, and what it asks of the database


@pytest.mark.parametrize("arguments", [[], [ADDRESS, "--pixel", USER], ["--pixel", USER, "--vtsid", VTSID]])
def test_it_wants_exactly_one_way_of_naming_them(arguments):
    error = fails("forget_shopper", *arguments)
    assert (str(error), error.returncode) == (
        "argument EMAIL: give an e-mail address, or --pixel, or --vtsid: one of them", 2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["canary\0bird"], "EMAIL"), (["--pixel", "canary bird"], "--pixel"), (["--vtsid", "canary bird"], "--vtsid")],
)
def test_what_makes_no_sense_is_refused_without_being_repeated(arguments, named):
    error = fails("forget_shopper", *arguments)
    assert str(error).startswith(f"argument {named}: must be ")
    assert "canary" not in str(error)


@pytest.mark.parametrize("arguments", [[ADDRESS], ["--pixel", USER], ["--vtsid", VTSID]])
def test_every_entry_is_found_by_an_index(arguments):
    order("1")
    track(Event("cart"), identity=Identity(vtsid=VTSID))
    remember_identity(shopper_s_request(), "7")
    pending(50, created_at=timezone.now())
    with CaptureQueriesContext(connection) as captured:
        run("forget_shopper", *arguments, "--dry-run")
    asked = [query["sql"] for query in captured.captured_queries if "sendlogentry" in query["sql"]]
    assert asked
    assert [(sql, steps) for sql in asked if (steps := scans(sql))] == []
