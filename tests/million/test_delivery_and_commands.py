"""Recording, delivery and the commands, on the same log."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from django_vt.backends import locmem
from django_vt.events import Item
from django_vt.models import Endpoint, SendLogEntry
from django_vt.models.functions import milliseconds
from django_vt.signals import order_placed
from tests.million.plans import explained
from tests.million.test_admin import assert_few_are_read
from tests.unit.management.commands.conftest import run

pytestmark = pytest.mark.million

PENDING = 200
BATCH, CLAIM = 20, 80
LOOK_AHEAD = 8
AT_ONCE = 500  # rows a transaction of purge_send_log


def test_an_order_reads_nothing_of_the_log():
    with explained() as recorded:
        order_placed.send(
            sender=None, order_id="100023", total=Decimal("1.00"), items=[Item("1", 1)], email="buyer@example.com"
        )
    assert recorded.queries == []
    (inserted,) = recorded.inserted
    assert "SELECT" not in inserted
    # What is asked is the identity remembered for it, on another table.
    assert recorded.made == 1


def test_send_pending_sends_what_is_due():
    with explained() as recorded:
        assert run("send_pending").startswith(f"{PENDING} sent")
    assert len(locmem.outbox) >= PENDING // BATCH
    assert_few_are_read(recorded, most=LOOK_AHEAD * CLAIM)


def test_what_was_found_by_index_is_changed_by_id():
    with explained() as recorded:
        run("send_pending")
    updates = [query for query in recorded.queries if query.sql.startswith("UPDATE")]
    assert updates
    assert {scan.index for query in updates for scan in query.scans} - {""} <= {
        "django_vt_sendlogentry_pkey", "django_vt_due_at",
    }  # fmt: skip


@pytest.mark.parametrize("answer", [503, 400])
def test_what_is_not_accepted(answer, settings, monkeypatch):
    monkeypatch.setattr(locmem.LocMemBackend, "send", lambda backend, request: locmem.Reply(answer))
    with explained() as recorded:
        run("send_pending")
    assert_few_are_read(recorded, most=LOOK_AHEAD * CLAIM)


def pause() -> None:
    Endpoint.objects.create(
        account_id="acc123",
        event_type="confirmation",
        address="https://app.vtcdn.net/event",
        consecutive_failures=3,
        paused_until=milliseconds(timezone.now() + timedelta(minutes=5)),
        reason="answered: 503",
    )


@pytest.mark.parametrize("paused", [False, True])
def test_send_log_status(paused):
    if paused:
        pause()
    with explained() as recorded:
        told = run("send_log_status")
    assert "> 10,000  sent" in told
    assert "1,000  failed" in told
    # Three of them: the time, what has waited longest, what waits for accounts that the settings do not name.
    assert recorded.made == 11 + paused
    assert_few_are_read(recorded)


def test_send_log_status_in_a_long_outage_of_a_log_that_was_sent_for_years():
    pause()
    newest = SendLogEntry.objects.order_by("-pk")[:1].get().pk
    SendLogEntry.objects.filter(pk__gt=newest - 20_000).update(status="pending", due_at=0)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {SendLogEntry._meta.db_table}")
    with explained() as recorded:
        assert "> 10,000  pending" in run("send_log_status")
    # Some are read twice, as they were and as they are.
    assert_few_are_read(recorded, most=2 * 10_001)


@pytest.mark.parametrize("days", ["90", "1000"])
def test_purge_send_log_reads_what_it_deletes(days):
    """Its first rounds, and those that find none: a whole purge would take minutes."""
    before = timezone.now() - timedelta(days=int(days))
    with explained() as recorded:
        for status in ("sent", "skipped", "failed"):
            for _round in range(2):
                SendLogEntry.objects.purge(status, before, AT_ONCE)
        SendLogEntry.objects.purge("pending", before, AT_ONCE)
    assert all(scan.kind != "Seq Scan" for query in recorded.queries for scan in query.scans)
    # Pages, not rows: where few are old enough, all of them are looked through in the index, which touches fewer.
    assert max(query.pages for query in recorded.queries) <= AT_ONCE * 20


def test_resend_by_id_and_of_all_that_failed():
    with explained() as recorded:
        run("resend", "--status=failed", "--dry-run")
        run("resend", "7", "--dry-run")
    assert_few_are_read(recorded)
