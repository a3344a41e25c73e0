"""What waits for an account that the settings do not name waits no more, once staff say so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_vt.models import SendLogEntry
from tests.support.delivering import one, pending, statuses
from tests.unit.management.commands.conftest import fails, run, status_of

pytestmark = pytest.mark.django_db


def test_it_skips_what_waits_for_the_account_and_nothing_else():
    pending(3, account_id="production")
    mine, other = one(), one(account_id="staging")
    assert run("skip_pending", "--account=production", "--dry-run") == "Would skip 3 entries of account production.\n"
    assert statuses() == {"pending": 5}
    assert run("skip_pending", "--account=production") == "Skipped 3 entries of account production.\n"
    assert [status_of(entry) for entry in (mine, other)] == ["pending", "pending"]
    assert set(SendLogEntry.objects.filter(status="skipped").values_list("account_id", "reason")) == {
        ("production", "set aside")
    }


def test_what_was_skipped_is_purged_once_it_is_old_or_taken_back_by_resend(script):
    old = one(account_id="production", created_at=timezone.now() - timedelta(days=100))
    young = one(account_id="production")
    run("skip_pending", "--account=production")
    run("purge_send_log", "--account=production")
    assert not SendLogEntry.objects.filter(pk=old.pk).exists()
    assert "Account production is none" in str(fails("resend", str(young.pk)))
    assert status_of(young) == "pending"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], 'is needed; DJANGO_VT["ACCOUNT_ID"] names acc123'),
        (["--account="], 'there is no such account; DJANGO_VT["ACCOUNT_ID"] names acc123'),
        (["--account=acc-typo"], 'there is no such account; DJANGO_VT["ACCOUNT_ID"] names acc123'),
        (["--account=acc123"], 'is one that is sent to; DJANGO_VT["ACCOUNT_ID"] names acc123'),
    ],
)
def test_an_account_that_is_sent_to_is_refused(arguments, words):
    entry = one()
    assert str(fails("skip_pending", *arguments)) == f"argument --account: {words}"
    assert status_of(entry) == "pending"
