"""Forgetting a shopper, part by part, and counting what was forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import router, transaction

from django_vt.conf import DEFAULTS, settings
from django_vt.delivery.clock import database_now
from django_vt.models import RememberedIdentity, SendLogEntry, functions
from django_vt.models.db import default_alias, with_retries
from django_vt.models.functions import moment
from django_vt.models.send_log import SendLogQuerySet
from django_vt.operations.purging import Pace
from django_vt.operations.shopper import Shopper
from django_vt.protocol import reasons

AT_ONCE = 400  # rows a transaction at most
LOOKED_AT = ("pk", "identity", "reference", "email_hash", "status", "claim", "due_at")


def forget_shopper(
    *, address: str | None = None, pixel: str | None = None, vtsid: str | None = None, using: str | None = None
) -> Forgetting:
    """Implementation of `django_vt.forget_shopper`, documented there."""
    using = using or default_alias()
    forgetting = Forgetting(Shopper.known_by(using, address=address, pixel=pixel, vtsid=vtsid), using)
    forgetting.run()
    return forgetting


class Forgetting:
    """Forgets and counts: entries by the status that they had, those with an address, remembered identities.

    `others`: entries of the same visitors that hold another address; these are left. `lease_end`: the latest end of a
    lease on a forgotten entry, in milliseconds of the database's clock; None if no worker held one.
    """

    def __init__(self, shopper: Shopper, using: str) -> None:
        self._shopper = shopper
        self._using = using
        self._pace = Pace(AT_ONCE, using)
        self._forgotten: set[int] = set()
        self.statuses: Counter[str] = Counter()
        self.with_address = 0
        self.remembered = 0
        self.others = 0
        self.lease_end: int | None = None

    @property
    def in_hands_until(self) -> datetime | None:
        """Until when a worker may still send an entry that it held; None if no worker held one."""
        return None if self.lease_end is None else moment(self.lease_end)

    @property
    def ids(self) -> list[int]:
        """The ids of the entries that were forgotten, the oldest first."""
        return sorted(self._forgotten)

    def preview(self) -> None:
        """Count what would be forgotten, and change nothing."""
        self._shopper.trace()
        rows = {row["pk"]: row for part in self._shopper.entries() for row in part.values(*LOOKED_AT)}
        self._count(list(rows.values()))
        self.remembered = sum(1 for _ in self._shopper.remembered())
        self._count_others()

    def run(self) -> None:
        """Forget. It may be stopped at any time, and run again."""
        self._shopper.trace()
        remembered = dict(self._shopper.remembered())
        # Forget linking rows last, so that an interrupted run can rediscover the remaining visitors.
        for visitor, part in self._shopper.found():
            self._forget(part)
            self._forget_remembered([pk for pk, visitors in remembered.items() if visitor in visitors])
        self._forget_remembered(list(remembered))
        for part in self._shopper.named():
            self._forget(part)
        self._forget_mentioned()
        self._count_others()

    def _forget(self, part: SendLogQuerySet) -> None:
        # Forgotten rows no longer match the part's conditions.
        while self._forget_some(part):
            continue

    def _forget_mentioned(self) -> None:
        left = [pk for pk in self._shopper.mentioned if pk not in self._forgotten]
        entries = SendLogEntry.objects.using(self._using)
        for start in range(0, len(left), AT_ONCE):
            ids = left[start : start + AT_ONCE]
            while ids:
                self._forget_some(entries.filter(pk__in=ids))
                ids = [pk for pk in ids if pk not in self._forgotten]

    def _forget_some(self, part: SendLogQuerySet) -> bool:
        with self._pace.transaction() as most:
            rows = with_retries(lambda: self._forget_first(part, most), self._using)
        self._forgotten.update(row["pk"] for row in rows)
        self._count(rows)
        return bool(rows)

    def _forget_first(self, part: SendLogQuerySet, most: int) -> Sequence[dict[str, Any]]:
        with transaction.atomic(using=self._using):
            # Lock the rows if the database can: an entry counted as pending must not be sent meanwhile.
            rows = list(part.select_for_update().values(*LOOKED_AT)[:most])
            # History first: if interrupted after the entry was emptied, a new run would not find its history.
            self._forget_history(rows)
            telling = [row["pk"] for row in rows if self._shopper.is_told_by(row["reference"], row["identity"])]
            theirs = SendLogEntry.objects.using(self._using).filter(pk__in=[row["pk"] for row in rows])
            theirs.forget(telling)
        return rows

    def _forget_history(self, rows: Sequence[dict[str, Any]]) -> None:
        """Clear the admin's history, which names an entry by type and reference; these may hold the shopper's id."""
        if not apps.is_installed("django.contrib.admin"):
            return
        log: Any = apps.get_model("admin", "LogEntry")
        lines = log.objects.using(router.db_for_write(log))
        identities = {str(row["pk"]): row["identity"] for row in rows}
        about = lines.filter(
            content_type__app_label="django_vt", content_type__model="sendlogentry", object_id__in=identities
        )
        telling = [
            pk for pk, object_id, text in about.values_list("pk", "object_id", "object_repr")
            if self._shopper.is_told_by(text, identities[object_id])
        ]  # fmt: skip
        lines.filter(pk__in=telling).update(object_repr=reasons.FORGOTTEN)

    def _forget_remembered(self, ids: Sequence[int]) -> None:
        rows = RememberedIdentity.objects.using(self._using)
        for start in range(0, len(ids), AT_ONCE):
            self.remembered += rows.filter(pk__in=ids[start : start + AT_ONCE]).delete()[0]

    def _count(self, rows: Sequence[dict[str, Any]]) -> None:
        now = database_now(self._using)
        latest = now + _lease() + functions.READINGS_APART
        self.statuses.update(row["status"] for row in rows)
        self.with_address += sum(bool(row["email_hash"]) for row in rows)
        ends = [row["due_at"] for row in rows if row["claim"] and now < row["due_at"] <= latest]
        self.lease_end = max([*ends, *filter(None, [self.lease_end])], default=None)

    def _count_others(self) -> None:
        self.others = sum(part.count() for part in self._shopper.others())


def _lease() -> int:
    """LEASE in milliseconds, or its default if it is no number: a wrong setting must not prevent forgetting."""
    lease: object = settings.LEASE
    return int((lease if isinstance(lease, (int, float)) else DEFAULTS["LEASE"]) * 1000)
