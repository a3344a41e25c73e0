"""`manage.py purge_send_log`: delete old entries, and empty old payloads."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from django_vt.conf import settings
from django_vt.management import arguments, wording
from django_vt.management.base import SendLogCommand
from django_vt.operations import purging
from django_vt.operations.purging import Purged


class Command(SendLogCommand):
    """Works in many short transactions, and may be stopped and run again."""

    help = (
        "Deletes the entries of the send log that were sent or skipped and are older than RETENTION_DAYS, with their "
        "failed attempts, and remembered identities as old. Pending entries are never deleted. Where PAYLOAD_DAYS is "
        "set, it also empties the payloads of what was sent longer ago than that; these entries stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--days", metavar="N", help="What is older than N days; by default RETENTION_DAYS.")
        parser.add_argument("--failed", action="store_true", help="Delete failed entries of that age, too.")
        parser.add_argument("--dry-run", action="store_true", help="Delete nothing; say how much it would be.")

        arguments.add_account(parser, "Of this account only, also if the settings do not name it any more.")

    def work(self, using: str, options: dict[str, Any]) -> None:
        days = settings.RETENTION_DAYS if options["days"] is None else options["days"]
        before = timezone.now() - arguments.number_of_days("--days", days)
        dry_run = options["dry_run"]
        account_id = arguments.recorded_account(options["account"], using)
        purged = purging.purge(using, before, failed=options["failed"], dry_run=dry_run, account_id=account_id)
        self._report("Would delete" if dry_run else "Deleted", purged, before)
        if settings.PAYLOAD_DAYS is not None:
            self._empty_payloads(using, settings.PAYLOAD_DAYS, account_id, dry_run=dry_run)

    def _empty_payloads(self, using: str, days: float, account_id: str | None, *, dry_run: bool) -> None:
        before = timezone.now() - timedelta(days=days)
        number = purging.empty_payloads(using, before, dry_run=dry_run, account_id=account_id)
        did = "Would empty" if dry_run else "Emptied"
        self.say(f"{did} {wording.count(number, 'payload')} of what was sent before {wording.moment(before)}.")

    def _report(self, did: str, purged: Purged, before: datetime) -> None:
        statuses = ", ".join(f"{number:,} {status.value}" for status, number in purged.entries.items())
        identities = wording.count(purged.remembered, "remembered identity", "remembered identities")
        self.say(
            f"{did} {wording.entries(sum(purged.entries.values()))} ({statuses}) and {identities}, "
            f"all from before {wording.moment(before)}."
        )
