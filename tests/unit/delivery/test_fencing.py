from __future__ import annotations

import logging

import pytest

from django_vt.delivery import DeliveryReport, deliver_due
from django_vt.delivery.deliver import Delivery
from django_vt.models import SendAttempt, SendLogEntry
from django_vt.signals import event_sent
from tests.support.delivering import ACCOUNT, one, pending

pytestmark = pytest.mark.django_db


def test_a_worker_whose_lease_ran_out_changes_nothing(clock, script, caplog):
    entry = one()

    def answer_too_late(request):
        clock.advance(120)
        script.answer = lambda request: 200
        assert deliver_due().sent == 1
        return 503

    script.answer = answer_too_late
    deliver_due()
    entry.refresh_from_db()
    assert (entry.status, entry.attempts, entry.response_status, entry.reason) == ("sent", 0, 200, "")
    assert SendAttempt.objects.count() == 0
    assert "taken over by another worker" in caplog.text


def test_a_success_that_comes_after_the_lease_overwrites_no_newer_outcome(clock, script):
    entry = one()
    heard = []
    event_sent.connect(listener := lambda entry, **kwargs: heard.append(entry.pk))

    def answer_too_late(request):
        clock.advance(120)
        script.answer = lambda request: 503
        assert deliver_due().retried == 1
        return 200

    script.answer = answer_too_late
    try:
        assert deliver_due() == DeliveryReport(requests=1)
    finally:
        event_sent.disconnect(listener)
    entry.refresh_from_db()
    assert (entry.status, entry.attempts, entry.response_status) == ("pending", 0, 503)
    assert heard == []


def test_what_was_sent_again_by_staff_meanwhile_is_not_the_old_workers_any_more(clock, script):
    entry = one()

    def answer_too_late(request):
        clock.advance(120)
        assert SendLogEntry.objects.filter(pk=entry.pk).resend(ACCOUNT, clock.ms) == 1
        return 200

    script.answer = answer_too_late
    with Delivery("default", stopping=lambda: bool(script.requests)) as delivery:
        assert delivery.run().sent == 0
    entry.refresh_from_db()
    assert (entry.status, entry.due_at, entry.claim) == ("pending", clock.ms, None)


@pytest.mark.parametrize("status", [200, 503])
@pytest.mark.parametrize("gone", ["forget", "delete"])
def test_of_what_was_forgotten_or_deleted_under_way_the_log_says_that(script, caplog, status, gone):
    entries = pending(3)

    def answer_after_one_was_forgotten(request):
        getattr(SendLogEntry.objects.filter(pk=entries[0].pk), gone)()
        return status

    script.answer = answer_after_one_was_forgotten
    caplog.set_level(logging.INFO, "django_vt.delivery.settle")
    deliver_due()
    [told] = [record for record in caplog.records if "under way" in record.getMessage()]
    assert (told.levelname, told.getMessage()) == (
        "INFO", "1 entries were forgotten or deleted while they were under way: what came of them is not stored",
    )  # fmt: skip
    assert "LEASE" not in caplog.text


def test_what_was_forgotten_while_it_was_under_way_stays_forgotten(clock, script):
    entry = one()

    def answer_after_it_was_forgotten(request):
        SendLogEntry.objects.filter(pk=entry.pk).forget()
        return 503

    script.answer = answer_after_it_was_forgotten
    deliver_due()
    entry.refresh_from_db()
    assert (entry.status, entry.payload, entry.due_at) == ("skipped", "", None)
    assert SendAttempt.objects.count() == 0
