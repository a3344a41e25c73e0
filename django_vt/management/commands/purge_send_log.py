"""`manage.py purge_send_log`: the send log forgets what is old."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from django_vt.conf import settings
from django_vt.management import arguments
from django_vt.management.base import SendLogCommand
from django_vt.models import RememberedIdentity, SendLogEntry, Status
from django_vt.models.send_log import SendLogQuerySet
from django_vt.operations import wording
from django_vt.operations.purging import OldPayloads, Pace

AT_ONCE = 500  # rows a transaction at most


class Command(SendLogCommand):
    """Deletes and empties in many short transactions; may be stopped at any time, and run again."""

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

    def work(self, using: str, options: dict[str, Any]) -> None:
        days = settings.RETENTION_DAYS if options["days"] is None else options["days"]
        before = timezone.now() - arguments.number_of_days("--days", days)
        statuses = [Status.SENT, Status.SKIPPED, *([Status.FAILED] if options["failed"] else [])]
        dry_run = options["dry_run"]
        entries = SendLogEntry.objects.using(using)
        by_status = {status: _purge_entries(entries, status, before, dry_run=dry_run) for status in statuses}
        remembered = RememberedIdentity.objects.using(using).filter(created_at__lt=before)
        identities = _purge_remembered(remembered, dry_run=dry_run)
        self._report("Would delete" if dry_run else "Deleted", by_status, identities, before)
        if settings.PAYLOAD_DAYS is not None:
            self._empty_payloads(SendLogEntry.objects.using(using), settings.PAYLOAD_DAYS, dry_run=dry_run)

    def _empty_payloads(self, entries: SendLogQuerySet, days: float, *, dry_run: bool) -> None:
        before = timezone.now() - timedelta(days=days)
        payloads = OldPayloads(entries, before)
        number = payloads.count() if dry_run else payloads.empty()
        did = "Would empty" if dry_run else "Emptied"
        self.say(f"{did} {wording.count(number, 'payload')} of what was sent before {wording.moment(before)}.")

    def _report(self, did: str, by_status: dict[Status, int], remembered: int, before: datetime) -> None:
        statuses = ", ".join(f"{number:,} {status.value}" for status, number in by_status.items())
        identities = wording.count(remembered, "remembered identity", "remembered identities")
        self.say(
            f"{did} {wording.entries(sum(by_status.values()))} ({statuses}) and {identities}, "
            f"all from before {wording.moment(before)}."
        )


def _purge_entries(entries: SendLogQuerySet, status: str, before: datetime, *, dry_run: bool) -> int:
    if dry_run:
        return entries.filter(status=status, created_at__lt=before).count()
    deleted, pace = 0, Pace(AT_ONCE, entries.db)
    while True:
        with pace.transaction() as rows:
            now_deleted = entries.purge(status, before, rows)
        if not now_deleted:
            return deleted
        deleted += now_deleted


def _purge_remembered(rows: QuerySet[RememberedIdentity], *, dry_run: bool) -> int:
    if dry_run:
        return rows.count()
    deleted, pace = 0, Pace(AT_ONCE, rows.db)
    while True:
        with pace.transaction() as most:
            ids = list(rows.order_by("created_at").values_list("pk", flat=True)[:most])
            rows.filter(pk__in=ids).delete()
        if not ids:
            return deleted
        deleted += len(ids)
