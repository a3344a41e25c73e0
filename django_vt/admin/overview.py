"""The chart of sent, failed and skipped entries: bars of an SVG, without a script or a style of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _

from django_vt.admin import changelist, explain, filters
from django_vt.admin.changelist import ANCHOR
from django_vt.admin.explain import Sending
from django_vt.admin.filters import PERIODS, Period
from django_vt.delivery.clock import database_now
from django_vt.models import SendLogEntry, Status, functions
from django_vt.models.functions import moment
from django_vt.protocol import reasons

STEP_WIDTH, BAR_WIDTH, HEIGHT = 10, 8, 100
# A single failure beside ten thousand successes must still be seen.
LOWEST_BAR = 2


@dataclass(frozen=True)
class Bar:
    """A rectangle of the SVG. Strings: a number would be written as the reader's language has it, with a comma."""

    status: str
    x: str
    y: str
    height: str
    width: str = str(BAR_WIDTH)


@dataclass(frozen=True)
class Row:
    """What a step is in the table that says the same in words."""

    label: str
    counts: tuple[str, ...]


@dataclass(frozen=True)
class Chart:
    """A stack of bars for every hour or day, oldest first."""

    steps: Sequence[Step]
    by_hour: bool

    @property
    def view_box(self) -> str:
        """The SVG's own coordinates; the page stretches them."""
        return f"0 0 {len(self.steps) * STEP_WIDTH} {HEIGHT}"

    @property
    def highest(self) -> str:
        """What the highest stack stands for."""
        return changelist.in_words(self._highest())

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return self._highest() == 0

    def statuses(self) -> list[tuple[str, str]]:
        """Values and labels of what is charted."""
        return [(str(status), str(status.label)) for status in CHARTED_STATUSES]

    def bars(self) -> Iterator[Bar]:
        """The rectangles, each stack from the ground up."""
        highest = max(self._highest(), 1)
        for index, step in enumerate(self.steps):
            ground = HEIGHT
            for status, count in zip(CHARTED_STATUSES, step.counts, strict=True):
                if not count:
                    continue
                height = min(max(count * HEIGHT // highest, LOWEST_BAR), ground)
                ground -= height
                yield Bar(str(status), str(index * STEP_WIDTH + 1), str(ground), str(height))

    def rows(self) -> list[Row]:
        """The table, oldest first."""
        return [
            Row(self._label(step), tuple(changelist.in_words(count) for count in step.counts)) for step in self.steps
        ]

    @property
    def first(self) -> str:
        """The oldest step's label."""
        return self._label(self.steps[0])

    @property
    def last(self) -> str:
        """The newest step's label."""
        return self._label(self.steps[-1])

    def _label(self, step: Step) -> str:
        start = timezone.localtime(step.start) if timezone.is_aware(step.start) else step.start
        return time_format(start, "TIME_FORMAT") if self.by_hour else date_format(start, "MONTH_DAY_FORMAT")

    def _highest(self) -> int:
        return max((sum(step.counts) for step in self.steps), default=0)


# The figures above the list: counted within their window, by index, and never beyond ten thousand.

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
    return filters.for_a_minute(key, lambda: _count(period, using))


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
    counts = iter(functions.count_each([*windows, *bars], using))
    return Figures(
        by_period=tuple((each, tuple(next(counts) for _status in SHOWN_STATUSES)) for each in PERIODS),
        steps=tuple(Step(start, tuple(next(counts) for _status in CHARTED_STATUSES)) for start, _end in steps),
        failures=_top_reasons(period, using),
    )


def _top_reasons(period: Period, using: str) -> tuple[tuple[str, int], ...]:
    """Of the newest failures within the limit: a GROUP BY over all of them would have none."""
    entries = SendLogEntry.objects.using(using)
    newest = functions.first_ids(entries.filter(status=Status.FAILED, created_at__gte=period.start()))
    return tuple(Counter(entries.filter(pk__in=newest).values_list("reason", flat=True)).most_common(TOP_REASONS))


# What stands above the list: how sending stands, the figures, why entries failed, the chart.


@dataclass(frozen=True)
class Figure:
    """A count in words and the list that it counts."""

    count: str
    link: str
    status: str


@dataclass(frozen=True)
class Failure:
    """A reason that entries failed for, as stored and in words."""

    reason: str
    words: str
    figure: Figure


@dataclass(frozen=True)
class Overview:
    """The figures of a period and the state of sending."""

    period: Period
    sending: Sending
    oldest_due: str
    _figures: Figures

    @classmethod
    def of(cls, period_key: str | None, using: str) -> Overview:
        """As the database `using` has it. The state is asked for each time, the figures once a minute."""
        period = filters.BY_KEY.get(period_key or "", filters.DAY)
        return cls(period, Sending.seen_on(using), _oldest_due(using), figures(period, using))

    def statuses(self) -> list[str]:
        """The headings of the table of counts."""
        return [str(status.label) for status in SHOWN_STATUSES]

    def counts(self) -> list[tuple[str, list[Figure]]]:
        """The table of counts, a row for each period."""
        return [
            (
                str(period.words),
                [_figure(count, period, status) for count, status in zip(counts, SHOWN_STATUSES, strict=True)],
            )
            for period, counts in self._figures.by_period
        ]

    def failures(self) -> list[Failure]:
        """Why entries of the period failed, the commonest reason first."""
        return [
            Failure(reason, reasons.describe(reason), _figure(count, self.period, "failed", reason=reason))
            for reason, count in self._figures.failures
        ]

    def chart(self) -> Chart:
        """The chart of the period."""
        return Chart(self._figures.steps, self.period.by_hour)


def _figure(count: int, period: Period, status: str, **further: str) -> Figure:
    query = urlencode({filters.PARAMETER: period.key, "status": status, **further})
    return Figure(changelist.in_words(count), f"?{query}{ANCHOR}", status)


def _oldest_due(using: str) -> str:
    now = database_now(using)
    since = SendLogEntry.objects.using(using).all().due_since(now)
    if since is None:
        return _("Nothing is waiting that is due.")
    waiting = explain.since(since, moment(now))
    return _("The oldest entry that is due has been waiting for %(time)s.") % {"time": waiting}
