"""Sending a selection of entries again, part by part, and counting what becomes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from django.utils import timezone

from django_vt.conf import settings
from django_vt.delivery import deliver_due
from django_vt.management.selection import Selection
from django_vt.models import SendLogEntry
from django_vt.models.send_log import SendLogQuerySet

Status = SendLogEntry.Status


class Resending:
    """Counts as it goes: reopened, in a worker's hands, unsendable, and in the end the statuses of all."""

    def __init__(self, selection: Selection, using: str) -> None:
        self._selection = selection
        self._using = using
        self._vendor_answers = True
        self.reopened = 0
        self.in_hands = 0
        self.unsendable = 0
        self.statuses: Counter[str] = Counter()

    @property
    def left(self) -> int:
        """How many of the chosen were left as they were."""
        return len(self._selection) - self.reopened

    @property
    def all_sent(self) -> bool:
        """Whether each of the chosen was reopened and has been sent."""
        return self.left == 0 and self.statuses[Status.SENT] == len(self._selection)

    def preview(self) -> None:
        """Count what would be reopened, and change nothing."""
        for ids in self._selection.parts():
            self._count_unfit(self._selection.entries.filter(pk__in=ids))
        self.reopened = len(self._selection) - self.in_hands - self.unsendable

    def run(self) -> Iterator[int]:
        """Send again; yields after each part how many of the chosen are done."""
        done = 0
        for ids in self._selection.parts():
            self._resend(ids)
            done += len(ids)
            yield done
        self._count_statuses()

    def _resend(self, ids: Sequence[int]) -> None:
        # The condition once more: what has been sent meanwhile is not sent again.
        part = self._selection.entries.filter(pk__in=ids)
        self._count_unfit(part)
        self.reopened += part.resend(settings.ACCOUNT_ID)
        if self._vendor_answers:
            report = deliver_due(ids=ids, using=self._using)
            # A part of which nothing got through: the rest would only wait for the same error, part after part.
            self._vendor_answers = report.sent > 0 or report.retried == 0

    def _count_unfit(self, part: SendLogQuerySet) -> None:
        self.in_hands += part.under_live_claim(timezone.now()).count()
        self.unsendable += part.count() - part.can_be_sent().count()

    def _count_statuses(self) -> None:
        entries = SendLogEntry.objects.using(self._using)
        for ids in self._selection.parts():
            self.statuses.update(entries.filter(pk__in=ids).values_list("status", flat=True))
