from __future__ import annotations

import datetime
import logging
import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_vt.conf import DEFAULTS
from django_vt.delivery import DeliveryReport, deliver_due
from django_vt.delivery.deliver import Delivery
from django_vt.exceptions import DeliveryError
from django_vt.models import SendAttempt, SendLogEntry
from django_vt.models.send_log import SendLogQuerySet
from django_vt.protocol.outcome import Reply
from django_vt.signals import event_failed, event_sent
from tests.support.delivering import (
    configure,
    endpoint,
    endpoint_row,
    one,
    pending,
    statements,
    statuses,
    until_settled,
)

pytestmark = pytest.mark.django_db

DELAYS = DEFAULTS["RETRY_DELAYS"]

# Accepted


@pytest.mark.parametrize("module", ["console.Console", "dummy.Dummy", "locmem.LocMem"])
def test_an_entry_that_a_backend_only_took_says_so(settings, module):
    configure(settings, BACKEND=f"django_vt.backends.{module}Backend")
    one()
    deliver_due()
    entry = SendLogEntry.objects.get()
    assert (entry.status, entry.reason) == ("sent", f"kept here: {module.partition('.')[2]}Backend")


# A lone entry


def test_a_lone_failure_waits_and_is_kept_and_does_not_count_where_nothing_else_is_accepted(clock, script):
    entry = one()
    script.answer = lambda request: 503
    assert deliver_due() == DeliveryReport(requests=1, retried=1)
    entry.refresh_from_db()
    assert (entry.status, entry.attempts, entry.response_status) == ("pending", 0, 503)
    assert (entry.reason, entry.claim) == ("answered: 503", None)
    assert 4_000 <= entry.due_at - clock.ms <= 6_000
    [attempt] = SendAttempt.objects.all()
    assert (attempt.entry, attempt.at, attempt.response_status) == (entry, clock.now, 503)
    assert attempt.reason == "answered: 503"


def test_a_lone_entry_fails_after_the_last_of_the_delays(clock, script):
    bad = one()
    script.reject(bad, status=500)
    passed, tries = 0.0, []
    while bad.status == "pending":
        # Something else is always accepted, so each of its failures counts.
        one(), one()
        passed += until_tried(clock, bad)
        tries.append(bad.attempts)
    assert tries == [1, 2, 3, 4, 5, 6, 7, 8]
    assert 0.8 * sum(DELAYS) <= passed <= 1.2 * sum(DELAYS) + 120
    assert (bad.status, bad.due_at, bad.claim, bad.response_status) == ("failed", None, None, 500)
    assert statuses() == {"sent": 16, "failed": 1}


def until_tried(clock, entry: SendLogEntry) -> float:
    """Let the time pass until the attempts of the entry have become more."""
    began, attempts = clock.now, entry.attempts
    while entry.attempts == attempts:
        deliver_due()
        entry.refresh_from_db()
        wait = 1.0 if entry.due_at is None else (entry.due_at - clock.ms) / 1000
        clock.advance(min(max(wait, 1.0), 3600))
    return (clock.now - began).total_seconds()


def test_a_lone_rejected_entry_fails_where_the_endpoint_has_accepted_something_since(clock, script):
    bad = one()
    script.reject(bad)
    deliver_due()
    bad.refresh_from_db()
    assert (bad.status, bad.attempts) == ("pending", 0)
    one()
    deliver_due()
    clock.advance(20)
    deliver_due()
    bad.refresh_from_db()
    assert (bad.status, bad.attempts, bad.reason, bad.due_at) == ("failed", 1, "answered: 400", None)


def test_a_lone_rejected_entry_is_kept_where_nothing_was_accepted_since(clock, script, caplog):
    one()
    deliver_due()
    bad = one()
    script.reject(bad)
    clock.advance(20)
    deliver_due()
    bad.refresh_from_db()
    assert (bad.status, bad.attempts) == ("pending", 0)
    assert "seems wrong" not in caplog.text
    clock.advance(20)
    deliver_due()
    bad.refresh_from_db()
    assert (bad.status, bad.attempts) == ("pending", 0)
    assert "seems wrong" in caplog.text
    caplog.clear()
    tried = len(script.requests)
    clock.advance(1200)
    deliver_due()
    assert len(script.requests) > tried
    assert "seems wrong" not in caplog.text  # at most once an hour


def test_an_earlier_failure_that_was_no_rejection_does_not_speak_against_a_lone_rejected_entry(clock, script):
    """An outage, then a success, then a firewall that answers 400 to everything: the event is as good as any."""
    entry = one()
    script.answer = lambda request: 500
    deliver_due()
    clock.advance(10)
    other = one()
    script.answer = lambda request: 200 if request.entry_ids == (other.pk,) else 500
    deliver_due(ids=[other.pk])
    script.answer = lambda request: 400
    clock.advance(10)
    deliver_due(ids=[entry.pk])
    entry.refresh_from_db()
    assert (entry.status, entry.response_status) == ("pending", 400)

    script.reject(entry)
    one()
    for _ in range(3):
        clock.advance(1000)
        deliver_due()
    entry.refresh_from_db()
    assert (entry.status, entry.reason) == ("failed", "answered: 400")


def test_what_was_begun_before_the_first_rejection_is_no_proof_of_acceptance(settings, clock, script, monkeypatch):
    """A firewall that comes up lets the answers to what was under way through."""
    configure(settings, BATCH_SIZE=1)
    early, _late = pending(2)
    both_begun, late_is_stored = threading.Barrier(2), threading.Event()
    honest = SendLogQuerySet.mark_tried

    def mark_tried(self, *args, **becomes):
        late_is_stored.set()
        return honest(self, *args, **becomes)

    def answer(request):
        both_begun.wait(5)
        if request.entry_ids == (early.pk,):
            assert late_is_stored.wait(5)
            return 200
        clock.advance(1)
        return 400

    monkeypatch.setattr(SendLogQuerySet, "mark_tried", mark_tried)
    script.answer = answer
    with Delivery("default", concurrency=2) as delivery:
        delivery.run()
        script.answer = lambda request: 400
        clock.advance(10)
        assert delivery.run() == DeliveryReport(requests=1, retried=1)
    assert statuses() == {"sent": 1, "pending": 1}


def test_the_log_is_in_english_whatever_the_project_speaks(settings, clock, script, caplog):
    settings.LANGUAGE_CODE = "ro"
    bad = one(batch_limit=1, accepted_when_rejected=-1, due_at=clock.now)
    script.answer = lambda request: 400 if request.entry_ids == (bad.pk,) else 401
    deliver_due()
    one()
    deliver_due()
    for told in ("pauses until", "has failed", "seems wrong"):
        assert any(told in message and "Vibetrace answered" in message for message in caplog.messages)
    assert "răspuns" not in caplog.text


@pytest.mark.parametrize("status", [301, 302, 401, 403, 404, 405, 410])
def test_a_wrong_configuration_is_told_at_error_once_and_costs_nothing(clock, script, caplog, status):
    pending(3)
    script.answer = lambda request: status
    for _ in range(10):
        deliver_due()
        clock.advance(900)
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 1
    assert f"answered {status}" in told[0].getMessage()
    assert statuses() == {"pending": 3}
    script.answer = lambda request: 200
    clock.advance(900)
    deliver_due()
    clock.advance(36_000)
    deliver_due()
    assert statuses() == {"sent": 3}


def test_it_pauses_as_long_as_the_vendor_asks(clock, script):
    pending(2)
    script.answer = lambda request: Reply(429, "120")
    deliver_due()
    assert endpoint().paused_until == clock.ms + 120_000
    clock.advance(119)
    assert deliver_due() == DeliveryReport()


# Shared requests


@pytest.mark.parametrize("status", [400, 414])
def test_a_rejected_request_is_halved_until_the_bad_entry_stands_alone(clock, script, status):
    entries = pending(20)
    script.reject(entries[7], status=status)
    assert deliver_due() == DeliveryReport(requests=10, sent=19, failed=1)
    # The larger halves go first: they bring more through.
    assert script.sizes == [20, 10, 10, 5, 5, 2, 2, 1, 1, 1]
    entries[7].refresh_from_db()
    assert (entries[7].status, entries[7].attempts, entries[7].reason) == ("failed", 1, f"answered: {status}")
    assert SendLogEntry.objects.filter(status="sent", attempts=0, reason="").count() == 19


def test_a_shared_request_that_fails_costs_no_attempt_and_makes_suspects(clock, script):
    entries = pending(20)
    other = one()
    script.answer = lambda request: 503
    with Delivery("default", stopping=lambda: bool(script.requests)) as delivery:
        delivery.run()
    assert set(SendLogEntry.objects.exclude(pk=other.pk).values_list("attempts", "batch_limit", "due_at", "claim")) == {
        (0, 10, clock.ms, None)
    }
    assert SendAttempt.objects.count() == len(entries)
    assert endpoint().is_open()
    script.answer = lambda request: 200
    deliver_due()
    assert set(SendLogEntry.objects.values_list("status", "attempts")) == {("sent", 0)}


def test_two_failures_in_a_row_of_entries_that_are_no_suspects_pause_sending(settings, clock, script):
    configure(settings, BATCH_SIZE=1)
    pending(3)
    script.answer = lambda request: 503
    assert deliver_due().requests == 2
    assert endpoint().paused_until == clock.ms + 5_000


def test_suspects_pause_nothing(settings, clock, script):
    configure(settings, BATCH_SIZE=1)
    pending(2, batch_limit=1, due_at=clock.now)
    script.answer = lambda request: 503
    deliver_due()
    assert endpoint().is_open()


@pytest.mark.parametrize(("answer", "seconds"), [(Reply(503, "7"), 7), (DeliveryError("unreachable"), 5), (403, 5)])
def test_the_endpoints_fault_pauses_at_once_and_costs_entries_nothing(clock, script, answer, seconds):
    pending(20)
    script.answer = lambda request: answer
    assert deliver_due() == DeliveryReport(requests=1, retried=20)
    assert endpoint().paused_until == clock.ms + seconds * 1000
    assert set(SendLogEntry.objects.values_list("attempts", "waits", "batch_limit", "due_at")) == {(0, 0, None, 0)}


def test_an_entry_that_waits_in_an_outage_is_due_when_anything_is_accepted(clock, script):
    entry = one()
    script.answer = lambda request: 500
    for _ in range(3):
        clock.advance(3600)
        deliver_due()
    entry.refresh_from_db()
    assert (entry.attempts, entry.waits) == (0, 3)
    script.answer = lambda request: 200
    deliver_due(ids=[one().pk])
    entry.refresh_from_db()
    assert (entry.due_at, entry.waits) == (clock.ms, 0)


# Those who listen


def test_who_listens_hears_of_each_that_was_sent_after_it_is_stored(script):
    entries = pending(3)
    heard = []

    def listener(sender, entry, **kwargs):
        heard.append((sender, entry.pk, SendLogEntry.objects.get(pk=entry.pk).status))

    event_sent.connect(listener)
    try:
        deliver_due()
    finally:
        event_sent.disconnect(listener)
    assert heard == [(SendLogEntry, entry.pk, "sent") for entry in entries]


def test_who_listens_hears_of_a_failure_only_when_it_is_final(clock, script):
    bad = one()
    heard = []
    event_failed.connect(listener := lambda entry, **kwargs: heard.append((entry.pk, entry.status)))
    script.reject(bad)
    try:
        deliver_due()
        assert heard == []
        clock.advance(20)
        one()
        until_settled(clock)
    finally:
        event_failed.disconnect(listener)
    assert heard == [(bad.pk, "failed")]


def test_a_listener_that_raises_stops_no_delivery(script):
    pending(25)

    def listener(**kwargs):
        raise ZeroDivisionError

    event_sent.connect(listener)
    try:
        assert deliver_due().sent == 25
    finally:
        event_sent.disconnect(listener)


# What it costs


def queries_of_a_delivery(limit: int = 20) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        deliver_due(limit=limit)
    # The clock, the endpoints, once a minute what a wrong clock has put off, and the claim.
    claim = ["SELECT", "UPDATE", "SELECT"] if connection.vendor == "mysql" else ["WITH"]
    before = ["SELECT", "SELECT", "UPDATE", *claim]
    done = statements(captured.captured_queries)
    assert done[: len(before)] == before
    return done[len(before) :]


def open_endpoint(**columns: object) -> None:
    endpoint_row(**columns)


def test_storing_that_a_batch_was_sent_is_one_statement(script):
    open_endpoint(last_success_at=timezone.now())
    pending(20)
    assert queries_of_a_delivery() == ["UPDATE"]


def test_once_a_minute_it_is_two(script):
    open_endpoint(last_success_at=timezone.now() - datetime.timedelta(minutes=2))
    pending(20)
    assert queries_of_a_delivery() == ["UPDATE", "UPDATE", "SELECT"]


def test_storing_a_failure_is_seven_statements(script):
    open_endpoint()
    one()
    script.answer = lambda request: 503
    # What the endpoint's counter is; what failed in a row; the entry; and whether anything else is due.
    assert queries_of_a_delivery(1)[:7] == ["UPDATE", "SELECT", "UPDATE", "SELECT", "SELECT", "INSERT", "UPDATE"]
