"""PAYLOAD_DAYS: after that time the send log still says that something was sent, and no longer what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_vt.models import SendLogEntry
from django_vt.operations import purging
from tests.support.delivering import configure, one
from tests.support.table_scans import scans
from tests.unit.management.commands.conftest import failed, fails, ms, run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _payload_days(settings):
    configure(settings, PAYLOAD_DAYS=30)


def sent(days, **columns):
    """An entry that was sent so many days ago."""
    then = timezone.now() - timedelta(days=days)
    return one(**{"status": "sent", "due_at": None, "created_at": then, "sent_at": then, **columns})


def emptied():
    return set(SendLogEntry.objects.filter(payload="").values_list("pk", flat=True))


def test_what_was_sent_longer_ago_loses_its_payload_and_nothing_else(clock):
    old, young = sent(30.001), sent(29.999)
    before = SendLogEntry.objects.values().get(pk=old.pk)
    assert run("purge_send_log").endswith("\nEmptied 1 payload of what was sent before 2026-10-24 15:00:00 EEST.\n")
    assert SendLogEntry.objects.values().get(pk=old.pk) == {**before, "payload": ""}
    assert emptied() == {old.pk}
    assert SendLogEntry.objects.get(pk=young.pk).payload


def test_only_what_was_sent_is_emptied():
    old = {"created_at": timezone.now() - timedelta(days=80)}
    one(**old)
    one(**failed(**old))
    one(status="skipped", due_at=None, **old)
    run("purge_send_log")
    assert emptied() == set()


def test_the_time_counts_from_the_sending():
    """What was sent again, or after a long outage, was recorded long before."""
    late = sent(29, created_at=timezone.now() - timedelta(days=80))
    run("purge_send_log")
    assert emptied() == set()
    SendLogEntry.objects.update(sent_at=timezone.now() - timedelta(days=31))
    run("purge_send_log")
    assert emptied() == {late.pk}


def test_by_default_payloads_are_kept_as_long_as_their_entries(settings):
    configure(settings, PAYLOAD_DAYS=None)
    sent(89)
    assert "payload" not in run("purge_send_log")
    assert emptied() == set()


def test_a_dry_run_says_how_many_and_empties_none():
    sent(31), sent(32), sent(1)
    assert "\nWould empty 2 payloads of " in run("purge_send_log", "--dry-run")
    assert emptied() == set()


def test_with_nothing_sent_so_long_ago_there_is_nothing_to_empty():
    sent(1)
    assert "\nWould empty 0 payloads of " in run("purge_send_log", "--dry-run")
    assert "\nEmptied 0 payloads of " in run("purge_send_log")


def test_it_empties_in_short_transactions_the_oldest_first(monkeypatch):
    monkeypatch.setattr(purging, "AT_ONCE", 2)
    entries = [sent(days) for days in (35, 33, 31, 32, 34)]
    with CaptureQueriesContext(connection) as captured:
        run("purge_send_log")
    assert len([query for query in captured if query["sql"].startswith("UPDATE")]) == 3
    assert emptied() == {entry.pk for entry in entries}


def test_who_is_interrupted_goes_on_where_it_was(monkeypatch):
    monkeypatch.setattr(purging, "AT_ONCE", 2)
    entries = [sent(80 - days) for days in range(7)]
    first = purging.OldPayloads(SendLogEntry.objects.all(), timezone.now() - timedelta(days=76.5))
    assert first.empty() == 4
    assert emptied() == {entry.pk for entry in entries[:4]}
    assert "\nEmptied 3 payloads" in run("purge_send_log")


def test_entries_sent_at_one_moment_are_all_emptied(monkeypatch):
    monkeypatch.setattr(purging, "AT_ONCE", 2)
    moment = timezone.now() - timedelta(days=31)
    entries = [sent(31, sent_at=moment) for _ in range(5)]
    SendLogEntry.objects.empty([entry.pk for entry in entries[:2]])
    run("purge_send_log")
    assert len(emptied()) == 5


def test_what_was_forgotten_is_no_sign_that_all_before_is_emptied(monkeypatch):
    monkeypatch.setattr(purging, "AT_ONCE", 2)
    old, *forgotten = (sent(days) for days in (40, 33, 32, 31))
    SendLogEntry.objects.filter(pk__in=[entry.pk for entry in forgotten]).forget()
    run("purge_send_log")
    assert old.pk in emptied()


def test_what_is_emptied_is_not_visited_again(monkeypatch):
    """However many there are: what is read is the last page, and then nothing from there on."""
    monkeypatch.setattr(purging, "AT_ONCE", 3)
    for day in range(40, 80):
        sent(day)
    run("purge_send_log")
    new = sent(31)
    with CaptureQueriesContext(connection) as captured:
        run("purge_send_log")
    pages = [query["sql"] for query in captured if "is_emptied" in query["sql"]]
    assert len(pages) == 2
    assert new.pk in emptied()


def test_its_queries_are_served_by_an_index():
    sent(31)
    with CaptureQueriesContext(connection) as captured:
        run("purge_send_log")
    asked = [query["sql"] for query in captured if query["sql"].startswith("SELECT") and "sent_at" in query["sql"]]
    assert asked
    assert [(sql, steps) for sql in asked if (steps := scans(sql))] == []


def test_what_is_resent_while_it_is_chosen_keeps_its_payload():
    resent, _other = sent(31), sent(31)

    def resend(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "due_at" not in sql:
            SendLogEntry.objects.filter(pk=resent.pk).resend("acc123", ms())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(resend):
        assert "\nEmptied 1 payload of" in run("purge_send_log")
    assert SendLogEntry.objects.get(pk=resent.pk).payload


def test_what_is_emptied_is_not_resent_and_counted(script):
    entry = sent(31)
    run("purge_send_log")
    assert "Left as they were: 1 with nothing to send" in fails("resend", str(entry.pk)).printed
    assert script.requests == []
