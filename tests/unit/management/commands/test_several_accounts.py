"""Accounts held apart, and entries of accounts that the settings do not name."""

from __future__ import annotations

import json

import pytest

from django_vt.delivery import deliver_due
from django_vt.operations import sending_state
from tests.support.delivering import configure, one, pending, statuses
from tests.unit.management.commands.conftest import failed, fails, ms, run, status_of

pytestmark = pytest.mark.django_db

TWO = {"one.example": "acc123", "two.example": "acc124"}


@pytest.fixture
def two_accounts(settings, script):
    configure(settings, ACCOUNT_ID=TWO)
    return one(account_id="acc123"), one(account_id="acc124")


def test_a_hold_of_an_account_touches_no_other(two_accounts):
    first, second = two_accounts
    run("hold_sending", "--account=acc124")
    deliver_due()
    assert (status_of(first), status_of(second)) == ("sent", "pending")
    told = run("send_log_status")
    assert "Sending for account acc124 is held by staff: its events are recorded and wait." in told
    assert "Sending is held by staff" not in told
    assert json.loads(run("send_log_status", "--format", "json"))["held_accounts"] == ["acc124"]


def test_a_second_hold_of_an_account_says_so(two_accounts):
    run("hold_sending", "--account=acc124")
    assert "was held already" in run("hold_sending", "--account=acc124")
    told = run("hold_sending", "--account=acc123")
    assert told.startswith("Sending for account acc123 is held from the next claim on")
    assert "`manage.py release_sending --account acc123` ends that." in told


def test_an_account_is_released_by_itself_or_with_all(two_accounts):
    run("hold_sending", "--account=acc124")
    assert run("release_sending", "--account=acc123").startswith("Sending was not held.")
    assert run("release_sending", "--account=acc124").startswith("Sending is released.")
    run("hold_sending", "--account=acc124")
    assert sending_state.is_held("default")
    assert run("release_sending").startswith("Sending is released.")
    assert not sending_state.is_held("default")
    deliver_due()
    assert statuses() == {"sent": 2}


def test_a_copy_of_productions_database_sends_nothing_to_production(script, settings):
    """Nor does it keep its own from being sent, however many there are."""
    strangers = pending(30, account_id="production", due_at=0)
    mine = one()
    deliver_due()
    assert status_of(mine) == "sent"
    assert {request.account_id for request in script.requests} == {"acc123"}
    assert {status_of(entry) for entry in strangers} == {"pending"}
    assert statuses() == {"pending": 30, "sent": 1}


def test_nor_when_it_is_asked_for_by_id_or_for_a_second_time(script):
    stranger = one(**failed(account_id="production"))
    error = fails("resend", str(stranger.pk))
    assert 'Account production is none that DJANGO_VT["ACCOUNT_ID"] names: 1 entry of it wait' in str(error)
    deliver_due()
    run("send_pending")
    assert script.requests == []


def test_once_the_settings_name_the_account_its_entries_are_sent(script, settings):
    stranger = one(account_id="production")
    deliver_due()
    configure(settings, ACCOUNT_ID="production")
    deliver_due()
    assert status_of(stranger) == "sent"


def test_where_a_function_decides_no_account_is_a_stranger(script, settings):
    configure(settings, ACCOUNT_ID="tests.unit.management.commands.test_several_accounts.account_of")
    entry = one(account_id="whatever")
    deliver_due()
    assert status_of(entry) == "sent"


def account_of(event, request):
    return "acc123"


def test_they_are_shown_as_what_they_are():
    pending(3, account_id="production", due_at=ms(minutes=-20))
    one(due_at=ms(hours=1))
    words = 'Account production is none that DJANGO_VT["ACCOUNT_ID"] names: 3 entries of it wait and are not sent.'
    assert words in run("send_log_status")
    assert json.loads(run("send_log_status", "--format", "json"))["waiting_for_unknown_accounts"] == {"production": 3}
    assert words in str(fails("send_log_status", "--max-age=15m"))


def test_what_was_recorded_for_no_account_is_left_until_its_account_is_named(two_accounts, script):
    lost = one(account_id="", status="skipped", due_at=None, reason="invalid: ACCOUNT_ID")
    error = fails("resend", str(lost.pk))
    assert "Left as they were: 1 recorded for no account: --to says which." in error.printed
    assert status_of(lost) == "skipped"
    assert "Would resend 1 entry." in run("resend", str(lost.pk), "--to=acc124", "--dry-run")
    assert run("resend", str(lost.pk), "--to=acc124").startswith("Resent 1 entry.")
    assert [request.account_id for request in script.requests] == ["acc124"]
    assert str(fails("resend", str(lost.pk), "--to=acc-typo")).startswith("argument --to: there is no such account")
