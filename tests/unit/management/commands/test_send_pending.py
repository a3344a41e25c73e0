from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from django_vt.models import Endpoint
from django_vt.protocol.outcome import Reply
from tests.support.delivering import configure, one, pending, statuses
from tests.unit.management.commands.conftest import fails, hold, ms, pause, run, status_of

pytestmark = pytest.mark.django_db


def test_what_is_due_is_sent_and_told_in_one_line(script):
    pending(25)
    one(due_at=ms(hours=1))
    assert run("send_pending") == "25 sent, 0 to be tried again, 0 failed, 0 skipped, in 2 requests.\n"
    assert statuses() == {"sent": 25, "pending": 1}


def test_with_nothing_due_it_says_so_in_the_same_line():
    assert run("send_pending") == "0 sent, 0 to be tried again, 0 failed, 0 skipped, in 0 requests.\n"


def test_what_was_not_accepted_is_told_with_the_pause_that_follows(script):
    script.answer = lambda request: Reply(503, retry_after="60")
    one()
    first, second = run("send_pending").splitlines()
    assert first == "0 sent, 1 to be tried again, 0 failed, 0 skipped, in 1 request."
    assert second.startswith("Sending events of type wishlist for account acc123 is paused until 20")
    assert second.endswith("(Vibetrace answered 503 Service Unavailable; 1 failure in a row).")


def test_what_is_too_old_is_counted_as_skipped(settings, script):
    configure(settings, MAX_AGE={"wishlist": 60})
    one(created_at=timezone.now() - timedelta(minutes=2))
    assert run("send_pending") == "0 sent, 0 to be tried again, 0 failed, 1 skipped, in 0 requests.\n"


def test_switched_off_it_sends_nothing_and_says_why(settings, script):
    configure(settings, ENABLED=False)
    entry = one()
    assert run("send_pending") == 'Nothing is sent: DJANGO_VT["ENABLED"] is False.\n'
    assert (script.requests, status_of(entry)) == ([], "pending")


def test_held_it_sends_nothing_and_says_what_ends_the_hold(script):
    hold()
    entry = one()
    assert "Sending is held by staff: events are recorded and wait. `manage.py release_sending`" in run("send_pending")
    assert (script.requests, status_of(entry)) == ([], "pending")


def test_paused_it_sends_nothing_and_says_until_when_and_why(script, clock):
    pause(seconds=300)
    one()
    assert run("send_pending").splitlines()[1] == (
        "Sending events of type wishlist for account acc123 is paused until 2026-11-23 14:05:00 EET "
        "(Vibetrace answered 503 Service Unavailable; 3 failures in a row)."
    )
    assert script.requests == []


def test_after_the_pause_it_probes_and_sends_the_rest(script, clock):
    pause(seconds=300)
    pending(3)
    clock.advance(301)
    assert run("send_pending").startswith("3 sent, ")
    assert Endpoint.objects.get().is_open()


def test_concurrency_is_the_number_of_requests_in_flight(settings, script):
    configure(settings, BATCH_SIZE=1)
    together = threading.Barrier(3, timeout=10)
    script.answer = lambda request: 200 if together.wait() >= 0 else 500
    pending(3)
    assert run("send_pending", "--concurrency=3").startswith("3 sent, ")


@pytest.mark.parametrize("given", ["0", "-1", "101", "many"])
def test_a_concurrency_that_makes_no_sense_is_refused(given):
    error = fails("send_pending", f"--concurrency={given}")
    assert str(error) == "argument --concurrency: must be a whole number from 1 to 100"


def test_switched_off_a_worker_ends_at_once(settings):
    configure(settings, ENABLED=False)
    assert run("send_pending", "--forever") == 'Nothing is sent: DJANGO_VT["ENABLED"] is False.\n'
