"""Entries of accounts that the settings do not name are known as such, and skipped where staff say so."""

from __future__ import annotations

import pytest

from django_vt.delivery import deliver_due
from django_vt.models import Endpoint
from django_vt.operations import strangers
from tests.support.delivering import configure, endpoint_row, one, pending, statuses
from tests.unit.management.commands.conftest import ms, status_of

pytestmark = pytest.mark.django_db


def test_accounts_are_those_of_the_settings_and_all_that_were_sent_to_or_wait():
    endpoint_row("once")
    one(account_id="waiting")
    one(account_id="over", status="sent", due_at=None)
    Endpoint.objects.hold()
    assert strangers.accounts_on("default") == ["acc123", "once", "waiting"]


def test_where_a_function_decides_they_are_those_that_were_sent_to(settings):
    configure(settings, ACCOUNT_ID=f"{__name__}.account_of")
    endpoint_row("once")
    assert strangers.accounts_on("default") == ["once"]


def account_of(event, request):
    return "acc123"


def test_only_what_is_pending_for_a_stranger_is_skipped():
    mine, theirs = one(), one(account_id="production")
    sent = one(account_id="production", status="sent", due_at=None)
    assert strangers.skip([mine.pk, theirs.pk, sent.pk], "default") == [theirs.pk]
    assert [status_of(entry) for entry in (mine, theirs, sent)] == ["pending", "skipped", "sent"]


def test_what_a_worker_has_in_its_hands_is_left():
    held = one(account_id="production", claim="token", due_at=ms(seconds=60))
    assert strangers.skip([held.pk], "default") == []
    assert status_of(held) == "pending"


def test_many_are_skipped_in_parts(monkeypatch):
    monkeypatch.setattr(strangers, "AT_ONCE", 2)
    ids = [entry.pk for entry in pending(5, account_id="production")]
    assert strangers.skip(ids, "default") == ids
    deliver_due()
    assert statuses() == {"skipped": 5}
