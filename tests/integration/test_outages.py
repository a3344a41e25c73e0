from __future__ import annotations

import datetime
import logging

import pytest

from django_vt.delivery import DeliveryReport, deliver_due
from django_vt.delivery.deliver import Delivery
from django_vt.models import SendLogEntry
from tests.support.delivering import configure, endpoint, one, pending, statuses, until_settled

pytestmark = [pytest.mark.django_db, pytest.mark.any_database, pytest.mark.ends]


# One bad entry


@pytest.mark.parametrize("status", [400, 414, 500])
@pytest.mark.parametrize("bad_one", [0, 507, 999])
def test_one_bad_entry_among_a_thousand_holds_up_nobody_and_fails_alone(clock, script, status, bad_one):
    entries = pending(1000)
    bad = entries[bad_one]
    script.reject(bad, status=status)
    began = clock.now
    while statuses()["sent"] < 999:
        deliver_due()
        clock.advance(1)
    assert (clock.now - began).total_seconds() < 35
    while bad.status == "pending":
        # The shop goes on selling: that its orders arrive tells the bad one from an outage.
        one()
        deliver_due()
        clock.advance(900)
        bad.refresh_from_db()
    assert (bad.status, bad.reason) == ("failed", f"answered: {status}")
    assert statuses()["failed"] == 1
    assert SendLogEntry.objects.exclude(pk=bad.pk).filter(attempts__gt=0).count() == 0


# The vendor is down


def test_after_a_probe_that_succeeds_the_rest_follows_at_once(settings, clock, script, caplog):
    caplog.set_level(logging.INFO)
    configure(settings, BATCH_SIZE=1)
    pending(200)
    script.answer = lambda request: 503
    deliver_due()
    clock.advance(6)
    script.answer = lambda request: 200
    assert deliver_due() == DeliveryReport(requests=200, sent=200)
    assert "accepts events of account acc123 again" in caplog.text


def test_an_outage_of_three_days_loses_nothing_and_burns_out_nobody(clock, script):
    pending(1000)
    down_at = clock.now
    asked: list[datetime.datetime] = []

    def fail(request):
        asked.append(clock.now)
        return 500

    script.answer = fail
    workers = [Delivery("default", concurrency=concurrency) for concurrency in (1, 1, 1, 4)]
    while clock.now < down_at + datetime.timedelta(hours=72):
        for worker in workers:
            worker.run()
        end = endpoint().paused_until_moment
        clock.now += (end - clock.now) / 2
        assert workers[0].run() == DeliveryReport()
        clock.now = end
    full = [at for at in asked if at > down_at + datetime.timedelta(minutes=35)]
    hours = [sum(1 for at in full if hour <= at < hour + datetime.timedelta(hours=1)) for hour in full]
    assert 1 <= max(hours) <= 12
    assert len(full) > 250
    assert endpoint().consecutive_failures > 250
    assert statuses() == {"pending": 1000}
    assert SendLogEntry.objects.filter(attempts__gt=1).count() == 0

    script.answer = lambda request: 200
    clock.advance(900)
    reports = [worker.run() for worker in workers]
    assert sum(report.sent for report in reports) >= 999
    clock.advance(36_000)
    deliver_due()
    assert statuses() == {"sent": 1000}
    assert SendLogEntry.objects.filter(attempts__gt=1).count() == 0
    for worker in workers:
        worker.__exit__(None, None, None)


def test_an_hour_in_which_everything_is_answered_400_loses_nothing(clock, script):
    pending(300)
    deliver_due(limit=20)
    clock.advance(30)
    script.answer = lambda request: 400
    end = clock.now + datetime.timedelta(hours=1)
    while clock.now < end:
        deliver_due()
        pending(1)
        clock.advance(30)
    assert statuses()["failed"] == 0
    script.answer = lambda request: 200
    until_settled(clock)
    assert statuses() == {"sent": 300 + 120}
