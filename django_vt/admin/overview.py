"""What stands above the list: how sending stands, the figures, why entries failed, the chart."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _

from django_vt.admin import durations, paging, periods
from django_vt.admin.changelist import ANCHOR
from django_vt.admin.chart import Chart
from django_vt.admin.figures import SHOWN_STATUSES, Figures, figures
from django_vt.admin.periods import Period
from django_vt.admin.sending import Sending
from django_vt.models import SendLogEntry
from django_vt.protocol import reasons


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
        period = periods.BY_KEY.get(period_key or "", periods.DAY)
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
    query = urlencode({periods.PARAMETER: period.key, "status": status, **further})
    return Figure(paging.in_words(count), f"?{query}{ANCHOR}", status)


def _oldest_due(using: str) -> str:
    earliest, now = SendLogEntry.objects.using(using).all().earliest_due(), timezone.now()
    if earliest is None or earliest > now:
        return _("Nothing is waiting that is due.")
    return _("The oldest entry that is due has been waiting for %(time)s.") % {"time": durations.since(earliest, now)}
