from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from django_vt.models import Endpoint, functions
from django_vt.operations import figures
from tests.support.delivering import configure, one, pending
from tests.unit.management.commands.conftest import failed, fails, hold, ms, pause, run

pytestmark = pytest.mark.django_db

NOT_FOR_REAL = "does not send for real: what is called sent has not left."
SENT = {"status": "sent", "due_at": None}


def minutes_ago(minutes: float):
    return timezone.now() - timedelta(minutes=minutes)


def due(minutes: float, **columns: object):
    """An entry that has been due for so long."""
    return one(created_at=minutes_ago(minutes), due_at=ms(minutes=-minutes), **columns)


def as_json() -> dict:
    return json.loads(run("send_log_status", "--format=json"))


# What it prints


def test_people_get_counts_due_age_endpoints_and_reasons(clock):
    pending(2, due_at=ms(hours=1))
    due(20)
    pending(1234, **SENT)
    pending(2, **failed())
    pause(last_success_at=ms(minutes=-125))
    assert run("send_log_status") == (
        'Send log on the database "default":\n'
        "           3  pending\n"
        "       1,234  sent\n"
        "           2  failed\n"
        "           0  skipped\n"
        "The oldest due entry has been due for 20 minutes.\n"
        "LocMemBackend does not send for real: what is called sent has not left.\n"
        "Account acc123, wishlist: sending is paused until 2026-11-23 14:05:00 EET (Vibetrace answered 503 Service "
        "Unavailable; 3 failures in a row); last success 2 hours ago.\n"
        "Most frequent reasons:\n"
        "           2  failed: Vibetrace answered 500 Internal Server Error\n"
    )


def test_a_project_in_another_language_gets_one_language_all_the_same(settings):
    settings.LANGUAGE_CODE = "ro"
    pending(1, **failed())
    pause()
    told = run("send_log_status")
    assert "(Vibetrace answered 503 Service Unavailable; " in told
    assert "failed: Vibetrace answered 500 Internal Server Error\n" in told


def test_an_empty_log_is_told_in_few_words():
    lines = run("send_log_status").splitlines()
    assert lines[-2:] == ["Nothing is due.", f"LocMemBackend {NOT_FOR_REAL}"]
    assert len(lines) == 7


@pytest.mark.parametrize("name", ["console.ConsoleBackend", "dummy.DummyBackend", "locmem.LocMemBackend"])
def test_a_backend_that_does_not_send_for_real_is_named(settings, name):
    configure(settings, BACKEND=f"django_vt.backends.{name}")
    assert f"\n{name.partition('.')[2]} {NOT_FOR_REAL}\n" in run("send_log_status")
    assert as_json()["sends_for_real"] is False


@pytest.mark.parametrize("path", ["django_vt.backends.http.HttpBackend", "tests.support.delivering.ScriptedBackend"])
def test_of_a_backend_that_sends_nothing_is_said(settings, path):
    configure(settings, BACKEND=path)
    assert "for real" not in run("send_log_status")
    assert as_json()["sends_for_real"] is True


def test_a_backend_that_cannot_be_imported_costs_no_answer(settings):
    configure(settings, BACKEND="shop.gone.Backend")
    assert "BACKEND names what cannot be imported" in run("send_log_status")
    assert as_json()["sends_for_real"] is False


def test_a_hold_and_a_switch_are_told(settings):
    hold()
    Endpoint.objects.row_of("acc123", "wishlist", "https://app.vtcdn.net/event")
    told = run("send_log_status")
    assert "Sending is held by staff" in told
    assert "Account acc123, wishlist: sending is held; nothing has been accepted yet." in told
    configure(settings, ENABLED=False)
    told = run("send_log_status")
    assert "Sending is held by staff" in told
    assert 'DJANGO_VT["ENABLED"] is False' in told
    assert "Account acc123, wishlist: sending is switched off; nothing has been accepted yet." in told


def test_the_pause_that_is_over_waits_for_a_success(clock):
    pause(seconds=-1)
    assert "sending is paused until the next request succeeds (" in run("send_log_status")


def test_machines_get_the_same_as_json(clock):
    due(20)
    pending(2, **failed())
    one(status="skipped", due_at=None, reason="nobody")
    pause(last_success_at=ms(minutes=-60))
    hold()
    assert as_json() == {
        "database": "default",
        "at": "2026-11-23T12:00:00+00:00",
        "account": None,
        "counts": {"pending": 1, "sent": 0, "failed": 2, "skipped": 1},
        "counted_up_to": 10_000,
        "due_since": "2026-11-23T11:40:00+00:00",
        "due_for_seconds": 1200,
        "enabled": True,
        "held": True,
        "sends_for_real": False,
        "endpoints": [
            {
                "account_id": "acc123",
                "event_type": "wishlist",
                "address": "https://app.vtcdn.net/event",
                "state": "paused",
                "paused_until": "2026-11-23T12:05:00+00:00",
                "consecutive_failures": 3,
                "last_success_at": "2026-11-23T11:00:00+00:00",
                "reason": "answered: 503",
            }
        ],
        "reasons": [
            {"status": "failed", "reason": "answered: 500", "count": 2},
            {"status": "skipped", "reason": "nobody", "count": 1},
        ],
        "reasons_of_newest": 250,
        "held_accounts": [],
        "waiting_for_unknown_accounts": {},
    }


def test_counting_ends_at_the_limit(monkeypatch):
    monkeypatch.setattr(functions, "LIMIT", 2)
    pending(2)
    pending(3, **SENT)
    assert "           2  pending\n         > 2  sent\n" in run("send_log_status")
    assert as_json()["counts"] == {"pending": 2, "sent": 2, "failed": 0, "skipped": 0}
    assert as_json()["counted_up_to"] == 2


def test_reasons_are_those_of_the_newest_and_that_is_said(monkeypatch):
    monkeypatch.setattr(figures, "READ_FOR_REASONS", 2)
    pending(2, **failed())
    assert "Most frequent reasons:\n" in run("send_log_status")
    pending(2, **failed(reason="tls"))
    assert as_json()["reasons"] == [{"status": "failed", "reason": "tls", "count": 2}]
    assert "Most frequent reasons (of the newest 2 of each):\n" in run("send_log_status")


def test_json_of_an_empty_log_has_the_same_keys():
    told = as_json()
    assert (told["due_since"], told["due_for_seconds"], told["endpoints"], told["reasons"]) == (None, 0, [], [])
    assert told["counts"] == {"pending": 0, "sent": 0, "failed": 0, "skipped": 0}


def test_endpoints_of_other_addresses_are_history():
    pause(address="https://old.example.com/event")
    assert as_json()["endpoints"] == []


# Monitoring


@pytest.mark.parametrize("max_age", ["15m", "900s"])
def test_it_fails_while_something_has_been_due_for_longer(clock, max_age):
    due(15.1)
    error = fails("send_log_status", f"--max-age={max_age}")
    assert error.returncode == 1
    assert str(error).startswith("Something has been due for 15 minutes. ")
    assert "The oldest due entry has been due for 15 minutes." in error.printed


def test_it_is_content_with_what_has_been_due_for_no_longer(clock):
    due(15)
    run("send_log_status", "--max-age=15m")


@pytest.mark.parametrize("columns", [SENT, failed(), {"status": "skipped", "due_at": None}])
def test_what_is_not_pending_is_not_due(columns):
    one(created_at=minutes_ago(1000), **columns)
    run("send_log_status", "--max-age=0s")


def test_what_waits_for_its_next_attempt_is_not_due(clock):
    one(created_at=minutes_ago(1000), due_at=ms(hours=1), attempts=3)
    run("send_log_status", "--max-age=15m")


def test_json_fails_the_same_way_after_the_json():
    due(20)
    error = fails("send_log_status", "--format=json", "--max-age=15m")
    assert json.loads(error.printed)["due_for_seconds"] >= 1200


def test_where_nothing_is_in_the_way_it_says_that_nobody_sends():
    due(20)
    assert "run `manage.py send_pending`, and see that cron" in str(fails("send_log_status", "--max-age=15m"))


@pytest.mark.parametrize(
    ("arrange", "advice"),
    [
        (hold, "`manage.py release_sending`"),
        (pause, "Sending events of type wishlist for account acc123 is paused until "),
    ],
)
def test_where_something_is_in_the_way_it_says_what(arrange, advice):
    due(20)
    arrange()
    told = str(fails("send_log_status", "--max-age=15m"))
    assert advice in told
    assert "see that cron" not in told


def test_where_sending_is_switched_off_it_says_that(settings):
    due(20)
    configure(settings, ENABLED=False)
    assert 'DJANGO_VT["ENABLED"] is False' in str(fails("send_log_status", "--max-age=15m"))


@pytest.mark.parametrize("given", ["15", "soon", "-5m"])
def test_an_age_that_makes_no_sense_is_refused(given):
    assert str(fails("send_log_status", f"--max-age={given}")).startswith("argument --max-age: must be a whole number")


# An outage in which each probe makes its entry due anew


def test_a_lone_entry_that_every_probe_makes_due_anew_is_old_all_the_same(clock):
    pause(last_success_at=ms(minutes=-600))
    one(created_at=minutes_ago(120), due_at=ms(minutes=-5))
    assert "for 2 hours." in str(fails("send_log_status", "--max-age=15m"))


def test_an_outage_that_a_worker_keeps_probing_is_noticed(clock, script, settings):
    script.answer = lambda request: 503
    configure(settings, BATCH_SIZE=1)
    pending(2)
    for _ in range(12):
        run("send_pending")
        clock.advance(300)
    assert len(script.requests) > 3
    assert "for 1 hour." in str(fails("send_log_status", "--max-age=15m"))


def test_a_lone_entry_that_is_being_probed_is_old_too(clock):
    pause(last_success_at=ms(minutes=-600))
    one(created_at=minutes_ago(120), due_at=ms(seconds=60), claim="a" * 32)
    assert "for 2 hours." in str(fails("send_log_status", "--max-age=15m"))


def test_in_an_outage_nothing_has_been_due_for_longer_than_the_outage(clock):
    pause(last_success_at=ms(minutes=-10))
    one(created_at=minutes_ago(120), due_at=ms(minutes=-5))
    run("send_log_status", "--max-age=15m")
    assert as_json()["due_for_seconds"] == 600


def test_where_nothing_was_ever_accepted_the_wait_began_with_the_order(clock):
    pause()
    one(created_at=minutes_ago(120), due_at=ms(minutes=-5))
    assert "for 2 hours." in str(fails("send_log_status", "--max-age=15m"))


def test_another_account_s_outage_makes_nothing_older(clock):
    pause(account_id="acc124", last_success_at=ms(minutes=-600))
    one(created_at=minutes_ago(120), due_at=ms(minutes=-5))
    run("send_log_status", "--max-age=15m")


def test_an_outage_with_nothing_waiting_is_no_alarm(clock):
    pause(last_success_at=ms(minutes=-600))
    run("send_log_status", "--max-age=15m")
