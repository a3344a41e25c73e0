from __future__ import annotations

from datetime import datetime, timezone
from io import StringIO

import pytest
from django.core.management import call_command

from django_vt.models import SendLogEntry
from django_vt.operations import resending
from django_vt.protocol.outcome import Reply
from tests.support.delivering import configure, one, pending, statuses
from tests.unit.management.commands.conftest import failed, fails, hold, pause, run, status_of

pytestmark = pytest.mark.django_db

SENT = {"status": "sent", "due_at": None}
SKIPPED = {"status": "skipped", "due_at": None, "reason": "nobody"}


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def sent_ids(script):
    return {pk for request in script.requests for pk in request.entry_ids}


def test_by_default_all_that_failed_are_sent_and_nothing_else(script):
    entries = pending(3, **failed())
    others = [one(**SENT), one(**SKIPPED), one()]
    assert run("resend") == "Resent 3 entries. Of those chosen are now: 3 sent.\n"
    assert sent_ids(script) == {entry.pk for entry in entries}
    assert [status_of(entry) for entry in others] == ["sent", "skipped", "pending"]


def test_with_nothing_to_resend_it_says_so_and_is_content():
    assert run("resend") == "Resent 0 entries. None were chosen.\n"


def test_a_resent_entry_starts_anew(script):
    as_sent = []

    def answer(request):
        columns = ("status", "attempts", "waits", "batch_limit", "accepted_before")
        as_sent.append(SendLogEntry.objects.values_list(*columns).get())
        return 500

    script.answer = answer
    entry = one(**failed(attempts=8, waits=8, batch_limit=1, accepted_before=7))
    fails("resend")
    assert as_sent == [("pending", 0, 0, None, None)]
    entry.refresh_from_db()
    assert (entry.status, entry.attempts, entry.batch_limit) == ("pending", 0, 1)


def test_entries_are_named_by_id_whatever_their_status(script):
    entries = [one(**failed()), one(**SENT), one(**SKIPPED), one(due_at=None)]
    run("resend", *(str(entry.pk) for entry in entries), str(entries[0].pk))
    assert sent_ids(script) == {entry.pk for entry in entries}


def test_an_id_that_is_not_in_the_log_is_refused_and_nothing_is_sent(script):
    entry = one(**failed())
    error = fails("resend", str(entry.pk), str(entry.pk + 1))
    assert str(error) == f"argument ID: the send log has no entry {entry.pk + 1}"
    assert status_of(entry) == "failed"


@pytest.mark.parametrize("given", ["0", "100023-M", str(2**63)])
def test_what_is_no_id_is_refused(given):
    assert str(fails("resend", given)).startswith("argument ID: must be a whole number from 1 to ")


@pytest.mark.parametrize("filters", ["--status=failed", "--type=login", "--since=2026-11-23", "--until=2026-11-23"])
def test_ids_and_filters_exclude_each_other(filters):
    error = fails("resend", "1", filters)
    assert str(error) == "argument ID: name entries, or choose them by --status, --type, --account, --since, --until"


def test_status_chooses(script):
    skipped = one(**SKIPPED)
    one(**failed())
    run("resend", "--status=skipped")
    assert sent_ids(script) == {skipped.pk}


def test_an_unknown_status_is_refused():
    assert str(fails("resend", "--status=lost")) == "argument --status: must be one of pending, sent, failed, skipped"


def test_what_was_sent_is_resent_only_when_that_is_said(script):
    sent, unsent = one(**SENT), one(**failed())
    assert "--include-sent" in str(fails("resend", "--status=sent"))
    assert script.requests == []
    run("resend", "--include-sent")
    assert sent_ids(script) == {sent.pk, unsent.pk}


def test_status_sent_with_include_sent_chooses_the_sent_ones(script):
    sent = one(**SENT)
    one(**failed())
    run("resend", "--status=sent", "--include-sent")
    assert sent_ids(script) == {sent.pk}


def test_type_chooses(script):
    login = one(**failed(event_type="login"))
    one(**failed(event_type="wishlist"))
    run("resend", "--type=login")
    assert sent_ids(script) == {login.pk}


def test_account_chooses(script, settings):
    configure(settings, ACCOUNT_ID={"one.example": "acc123", "two.example": "acc124"})
    mine = one(**failed(account_id="acc124"))
    one(**failed())
    run("resend", "--account=acc124")
    assert sent_ids(script) == {mine.pk}


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ({"since": "2026-11-21"}, {21, 22, 23}),
        ({"until": "2026-11-21"}, {20, 21}),
        ({"since": "2026-11-21", "until": "2026-11-22"}, {21, 22}),
        ({"since": "2026-11-21T12:00+02:00", "until": "2026-11-22T12:00+02:00"}, {21}),
        ({"since": "2026-11-21T12:01+02:00"}, {22, 23}),
    ],
)
def test_since_and_until_choose_by_the_time_of_recording(script, arguments, chosen):
    entries = {
        day: one(**failed(created_at=datetime(2026, 11, day, 10, tzinfo=timezone.utc))) for day in (20, 21, 22, 23)
    }
    run("resend", **arguments)
    assert sent_ids(script) == {entries[day].pk for day in chosen}


@pytest.mark.parametrize("name", ["since", "until"])
def test_what_is_no_time_is_refused_by_its_name(name):
    assert str(fails("resend", f"--{name}=yesterday")).startswith(f"argument --{name}: must be an ISO date or time")


def test_a_dry_run_counts_and_changes_nothing(script, clock):
    entries = pending(2, **failed())
    one(**failed(payload="", identity=""))
    one(status="failed", claim="a" * 32, due_at=clock.ms + 60_000)
    assert run("resend", "--dry-run") == (
        "Would resend 2 entries. Left as they were: 1 in the hands of a worker, "
        "1 with nothing to send or nobody to attribute it to.\n"
    )
    assert script.requests == []
    assert {status_of(entry) for entry in entries} == {"failed"}


def test_entries_in_a_worker_s_hands_are_left_and_counted(script, clock):
    claimed = one(claim="a" * 32, due_at=clock.ms + 60_000)
    error = fails("resend", str(claimed.pk))
    assert "Left as they were: 1 in the hands of a worker." in error.printed
    claimed.refresh_from_db()
    assert (claimed.claim, script.requests) == ("a" * 32, [])


def test_entries_whose_worker_lost_its_lease_are_resent(script, clock):
    abandoned = one(claim="a" * 32, due_at=clock.ms - 1000)
    run("resend", str(abandoned.pk))
    assert status_of(abandoned) == "sent"


@pytest.mark.parametrize("columns", [{"payload": "", "identity": ""}, {"identity": ""}])
def test_entries_emptied_or_without_anybody_are_left_and_counted(script, columns):
    left, good = one(**failed(**columns)), one(**failed())
    error = fails("resend")
    assert error.printed == (
        "Resent 1 entry. Of those chosen are now: 1 failed, 1 sent. "
        "Left as they were: 1 with nothing to send or nobody to attribute it to.\n"
    )
    assert error.returncode == 1
    assert (status_of(left), status_of(good)) == ("failed", "sent")


def test_what_was_resent_by_somebody_else_meanwhile_is_not_sent_twice(script, monkeypatch):
    monkeypatch.setattr(resending, "SENT_AT_ONCE", 1)
    first, second = pending(2, **failed())

    def answer(request):
        SendLogEntry.objects.filter(pk=second.pk).update(status="sent")
        return 200

    script.answer = answer
    error = fails("resend")
    assert "Resent 1 entry. Of those chosen are now: 2 sent. Left as they were: 1 changed meanwhile." in error.printed
    assert sent_ids(script) == {first.pk}


def test_it_exits_with_1_unless_all_are_sent_and_says_why(script):
    script.answer = lambda request: Reply(503, retry_after="60")
    entry = one(**failed())
    error = fails("resend")
    assert error.returncode == 1
    assert "Not all are sent. Sending events of type wishlist for account acc123 is paused until " in str(error)
    assert error.printed == "Resent 1 entry. Of those chosen are now: 1 pending.\n"
    assert status_of(entry) == "pending"


def test_a_pause_is_no_obstacle_and_ends_with_a_success(script):
    endpoint = pause()
    entry = one(**failed())
    run("resend")
    endpoint.refresh_from_db()
    assert (status_of(entry), endpoint.is_open()) == ("sent", True)


def test_a_hold_is_respected_the_entries_wait_for_its_end(script):
    hold()
    entry = one(**failed())
    error = fails("resend")
    assert str(error).startswith("Not all are sent. Sending is held by staff")
    assert (status_of(entry), script.requests) == ("pending", [])


def test_switched_off_it_refuses_and_changes_nothing(settings, script):
    configure(settings, ENABLED=False)
    entry = one(**failed())
    assert str(fails("resend")) == 'Nothing is sent: DJANGO_VT["ENABLED"] is False.'
    assert status_of(entry) == "failed"


def test_a_vendor_that_is_down_is_asked_for_the_first_part_only_and_all_wait(script, monkeypatch):
    monkeypatch.setattr(resending, "SENT_AT_ONCE", 2)
    script.answer = lambda request: 503
    pending(6, **failed())
    fails("resend")
    assert script.sizes == [2, 1, 1]
    assert statuses() == {"pending": 6}


def test_many_are_sent_part_by_part(script, monkeypatch):
    monkeypatch.setattr(resending, "SENT_AT_ONCE", 2)
    pending(5, **failed())
    assert run("resend") == "Resent 5 entries. Of those chosen are now: 5 sent.\n"
    assert sum(script.sizes) == 5


def test_what_was_recorded_without_an_account_goes_to_the_account_of_the_settings(script):
    entry = one(**failed(account_id=""))
    run("resend", str(entry.pk))
    assert [request.account_id for request in script.requests] == ["acc123"]


def test_on_a_terminal_it_shows_how_far_it_is(script, monkeypatch):
    monkeypatch.setattr(resending, "SENT_AT_ONCE", 2)
    pending(3, **failed())
    terminal = Terminal()
    call_command("resend", stdout=terminal)
    assert terminal.getvalue().startswith("\r2 of 3 entries\r3 of 3 entries\nResent 3 entries.")


def test_a_quiet_run_shows_no_progress_either(script):
    pending(3, **failed())
    terminal = Terminal()
    call_command("resend", verbosity=0, stdout=terminal)
    assert terminal.getvalue() == ""
