from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_vt.models import RememberedIdentity, SendAttempt, SendLogEntry, send_log
from django_vt.operations import purging
from tests.support.delivering import configure, one, pending, statuses
from tests.unit.management.commands.conftest import failed, fails, ms, run

pytestmark = pytest.mark.django_db

SENT = {"status": "sent", "due_at": None}
SKIPPED = {"status": "skipped", "due_at": None}


def days_ago(days: float) -> dict[str, object]:
    return {"created_at": timezone.now() - timedelta(days=days)}


def remember(key: str, days: float) -> RememberedIdentity:
    return RememberedIdentity.objects.create(key=key, identity="{}", **days_ago(days))


def test_what_was_sent_or_skipped_before_retention_days_is_deleted(clock):
    one(**SENT, **days_ago(90.001))
    one(**SKIPPED, **days_ago(200))
    kept = [one(**SENT, **days_ago(89.999)), one(**SKIPPED, **days_ago(1))]
    assert run("purge_send_log") == (
        "Deleted 2 entries (1 sent, 1 skipped) and 0 remembered identities, all from before 2026-08-25 15:00:00 EEST.\n"
    )
    assert set(SendLogEntry.objects.all()) == set(kept)


def test_pending_and_failed_entries_are_never_deleted_by_default():
    one(**days_ago(1000))
    one(**failed(**days_ago(1000)))
    run("purge_send_log")
    assert statuses() == {"pending": 1, "failed": 1}


def test_failed_ones_are_deleted_when_that_is_said_pending_ones_still_not():
    one(**days_ago(1000))
    one(**failed(**days_ago(1000)))
    one(**failed(**days_ago(1)))
    assert "(0 sent, 0 skipped, 1 failed)" in run("purge_send_log", "--failed")
    assert statuses() == {"pending": 1, "failed": 1}


def test_retention_days_is_the_setting(settings):
    configure(settings, RETENTION_DAYS=0.5)
    one(**SENT, **days_ago(0.6))
    one(**SENT, **days_ago(0.4))
    run("purge_send_log")
    assert statuses() == {"sent": 1}


def test_days_overrides_it():
    one(**SENT, **days_ago(10))
    run("purge_send_log", "--days=7")
    assert statuses() == {}


def test_days_that_make_no_sense_are_refused():
    assert str(fails("purge_send_log", "--days=-1")).startswith("argument --days: must be a number of days")


def test_failed_attempts_go_with_their_entry():
    old, new = one(**SENT, **days_ago(100)), one(**SENT)
    for entry in (old, new):
        SendAttempt.objects.create(entry=entry, at=timezone.now(), reason="answered: 503")
    run("purge_send_log")
    assert [attempt.entry_id for attempt in SendAttempt.objects.all()] == [new.pk]


def test_remembered_identities_go_too(monkeypatch):
    monkeypatch.setattr(purging, "AT_ONCE", 2)
    for number in range(5):
        remember(f"old{number}", days=91)
    kept = remember("new", days=89)
    assert "and 5 remembered identities" in run("purge_send_log")
    assert list(RememberedIdentity.objects.all()) == [kept]


def test_a_dry_run_counts_and_deletes_nothing():
    pending(2, **SENT, **days_ago(100))
    remember("old", days=91)
    assert run("purge_send_log", "--dry-run").startswith(
        "Would delete 2 entries (2 sent, 0 skipped) and 1 remembered identity,"
    )
    assert (SendLogEntry.objects.count(), RememberedIdentity.objects.count()) == (2, 1)


def test_it_deletes_in_many_short_transactions(monkeypatch):
    monkeypatch.setattr(purging, "AT_ONCE", 3)
    pending(8, **SENT, **days_ago(100))
    asked = []

    def count(execute, sql, params, many, context):
        if sql.startswith("SELECT") and "LIMIT 3" in sql:
            asked.append(SendLogEntry.objects.count())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        run("purge_send_log")
    assert asked[:4] == [8, 5, 2, 0]
    assert statuses() == {}


def test_an_entry_resent_between_the_choice_and_the_deletion_stays():
    resent, other = pending(2, **failed(**days_ago(100)))
    for entry in (resent, other):
        SendAttempt.objects.create(entry=entry, at=timezone.now(), reason="answered: 500")
    looked_at = []

    def resend(execute, sql, params, many, context):
        if SendLogEntry._meta.db_table in sql:
            looked_at.append(sql)
            if len(looked_at) == 2:
                SendLogEntry.objects.filter(pk=resent.pk).resend("acc123", ms())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(resend):
        assert SendLogEntry.objects.purge("failed", timezone.now(), 10) == 1
    assert list(SendLogEntry.objects.values_list("pk", "status")) == [(resent.pk, "pending")]
    # It is kept with all that is known of it.
    assert [attempt.entry_id for attempt in SendAttempt.objects.all()] == [resent.pk]


@pytest.mark.parametrize(("it_can", "changes"), [(False, 1), (True, 0)])
def test_what_is_to_be_deleted_is_locked_without_a_change_where_a_database_can(it_can, changes, monkeypatch):
    """A change goes through every index, and that costs more than the deletion."""
    pending(2, **failed(**days_ago(100)))
    monkeypatch.setattr(send_log, "_can_lock_by_select", lambda using: it_can)
    with CaptureQueriesContext(connection) as captured:
        assert SendLogEntry.objects.purge("failed", timezone.now(), 10) == 2
    assert sum(query["sql"].startswith("UPDATE") for query in captured) == changes


def test_what_was_chosen_is_looked_at_by_its_id_and_not_among_all_of_its_status():
    """SQLite would read a million to delete five hundred of them."""
    ids = [entry.pk for entry in pending(3, status="sent", due_at=None)]
    chosen = SendLogEntry.objects.with_status("sent", ids)
    assert "django_vt_status" not in chosen.explain()
    assert sorted(chosen.values_list("pk", flat=True)) == ids
    assert not SendLogEntry.objects.with_status("pending", ids).exists()
