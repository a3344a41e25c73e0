"""The figures above the list: counted within their window, by index, and never beyond ten thousand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from django_vt.admin import kept
from django_vt.admin.periods import PERIODS, Period
from django_vt.models import SendLogEntry, bounded

Status = SendLogEntry.Status
SHOWN_STATUSES = (Status.PENDING, Status.SENT, Status.FAILED, Status.SKIPPED)
CHARTED_STATUSES = (Status.SENT, Status.FAILED, Status.SKIPPED)
TOP_REASONS = 5


@dataclass(frozen=True)
class Step:
    """One hour or day of the chart, and how many entries recorded in it stand where."""

    start: datetime
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Figures:
    """Counts by status for each period; the steps and the top reasons of failure of one of them."""

    by_period: tuple[tuple[Period, tuple[int, ...]], ...]
    steps: tuple[Step, ...]
    failures: tuple[tuple[str, int], ...]


def figures(period: Period, using: str) -> Figures:
    """The figures of the last minute: three queries, or none."""
    key = ("figures", using, period.key, timezone.get_current_timezone_name())
    return kept.for_a_minute(key, lambda: _count(period, using))


def _count(period: Period, using: str) -> Figures:
    entries = SendLogEntry.objects.using(using)
    windows = [
        entries.filter(status=status, created_at__gte=each.start()) for each in PERIODS for status in SHOWN_STATUSES
    ]
    steps = period.steps()
    bars = [
        entries.filter(status=status, created_at__gte=start, created_at__lt=end)
        for start, end in steps for status in CHARTED_STATUSES
    ]  # fmt: skip
    counts = iter(bounded.count_each([*windows, *bars], using))
    return Figures(
        by_period=tuple((each, tuple(next(counts) for _status in SHOWN_STATUSES)) for each in PERIODS),
        steps=tuple(Step(start, tuple(next(counts) for _status in CHARTED_STATUSES)) for start, _end in steps),
        failures=_top_reasons(period, using),
    )


def _top_reasons(period: Period, using: str) -> tuple[tuple[str, int], ...]:
    """Of the newest failures within the limit: a GROUP BY over all of them would have none."""
    entries = SendLogEntry.objects.using(using)
    newest = bounded.first_ids(entries.filter(status=Status.FAILED, created_at__gte=period.start()))
    return tuple(Counter(entries.filter(pk__in=newest).values_list("reason", flat=True)).most_common(TOP_REASONS))
