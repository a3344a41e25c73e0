"""The overview above the list: the state of sending, figures, reasons, and a chart as SVG without script or style."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.formats import date_format, number_format, time_format
from django.utils.translation import gettext as _

from django_vt.accounts import is_known
from django_vt.admin import changelist, explain, filters
from django_vt.admin.changelist import ANCHOR
from django_vt.admin.plain_words import plainly
from django_vt.admin.unreported import Told, looks
from django_vt.events import event_name
from django_vt.models import Status, functions
from django_vt.operations import durations
from django_vt.operations.figures import (
    DAY,
    ENDED,
    PERIOD_OF,
    Period,
    PeriodFigures,
    ReasonCount,
    Step,
    Window,
    count_by_type,
    due_since,
    strangers,
)  # fmt: skip
from django_vt.operations.sending_state import SendingState

STEP_WIDTH, BAR_WIDTH, HEIGHT = 10, 8, 100
# A single failure beside ten thousand successes must still be visible.
LOWEST_BAR = 2


@dataclass(frozen=True)
class Bar:
    """A rectangle of the SVG. Values are strings, because templates localize numbers, with a comma for example."""

    status: str
    x: str
    y: str
    height: str
    width: str = str(BAR_WIDTH)
    is_unfinished: bool = False


@dataclass(frozen=True)
class Row:
    """A step of the chart, as a row of the table that has the same figures."""

    label: str
    counts: tuple[str, ...]


@dataclass(frozen=True)
class Chart:
    """A stack of bars for every hour or day, oldest first. `before`: how many had ended of each a week earlier."""

    steps: Sequence[Step]
    by_hour: bool
    before: Sequence[int] = ()

    @property
    def view_box(self) -> str:
        """The SVG's own coordinates; the page stretches them."""
        return f"0 0 {len(self.steps) * STEP_WIDTH} {HEIGHT}"

    @property
    def highest(self) -> str:
        """The count of the highest stack."""
        return changelist.in_words(self._highest())

    def scale(self) -> list[str]:
        """The numbers beside the bars, from the top down, each once."""
        highest = self._highest()
        return [changelist.in_words(count) for count in dict.fromkeys((highest, highest // 2, 0))]

    @property
    def has_before(self) -> bool:
        """Whether anything happened a week earlier."""
        return any(self.before)

    @property
    def is_empty(self) -> bool:
        """Whether all counts are 0."""
        return self._highest() == 0

    def statuses(self) -> list[tuple[str, str]]:
        """The values and labels of the charted statuses."""
        return [(str(status), str(status.label)) for status in ENDED]

    def bars(self) -> Iterator[Bar]:
        """The rectangles, each stack from the bottom up."""
        highest = max(self._highest(), 1)
        for index, total in enumerate(self.before):
            if total:
                height = max(total * HEIGHT // highest, LOWEST_BAR)
                left, top = str(index * STEP_WIDTH + 1), str(HEIGHT - height)
                yield Bar("before", left, top, str(height))
        for index, step in enumerate(self.steps):
            ground = HEIGHT
            for status in ENDED:
                count = step.counts[status]
                if not count:
                    continue
                height = min(max(count * HEIGHT // highest, LOWEST_BAR), ground)
                ground -= height
                is_last = index == len(self.steps) - 1
                yield Bar(str(status), str(index * STEP_WIDTH + 1), str(ground), str(height), is_unfinished=is_last)

    def rows(self) -> list[Row]:
        """The table, oldest first."""
        before = [[total] for total in self.before] if self.has_before else [[]] * len(self.steps)
        return [
            Row(self._label(step), tuple(map(changelist.in_words, _ended(step.counts) + further)))
            for step, further in zip(self.steps, before, strict=True)
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
        return max((*(sum(_ended(step.counts)) for step in self.steps), *self.before), default=0)


# The figures above the list.

MIN_ACCOUNTS = 2
SHOWN_STATUSES = (Status.PENDING, Status.SENT, Status.FAILED, Status.SKIPPED)


def figures(period: Period, using: str, event_type: str = "") -> PeriodFigures:
    """The figures of the last minute, of all types or of one: three queries, or none."""
    of_type = hashlib.sha256(event_type.encode("utf-8", "surrogatepass")).hexdigest()  # which may be anything
    key = f"figures:{using}:{period.key}:{timezone.get_current_timezone_name()}:{of_type}"
    return filters.for_a_minute(key, lambda: PeriodFigures.of(period, using, event_type))


def _ended(counts: Mapping[str, int]) -> list[int]:
    return [counts[status] for status in ENDED]


# The overview: the state of sending, the figures, the reasons of failure, the chart.


@dataclass(frozen=True)
class Figure:
    """A count in words, with a link to the list of the counted entries."""

    count: str
    link: str
    status: str
    label: str = ""


@dataclass(frozen=True)
class Failure:
    """A reason for which entries failed, as stored and in words."""

    reason: str
    words: str
    figure: Figure


@dataclass(frozen=True)
class Account:
    """The state of one account of several. `query` lists the account's pending entries."""

    name: str
    words: str
    is_held: bool
    is_known: bool
    query: str


@dataclass(frozen=True)
class Overview:
    """The figures of a period and the state of sending. `event_type`: of which type the figures are; empty: of all."""

    period: Period
    event_type: str
    sending: SendingState
    oldest_due: str
    _figures: PeriodFigures
    _using: str

    @classmethod
    def of(cls, asked: Mapping[str, str], sending: SendingState, using: str) -> Overview:
        """As the database `using` has it, for the list's filters; the figures are asked for once a minute."""
        period = PERIOD_OF.get(asked.get(filters.PARAMETER, ""), DAY)
        # Only a type that is there: each that is asked for would be kept for a minute.
        event_type = asked.get(str(filters.TypeFilter.parameter_name), "")
        event_type = event_type if event_type in filters.types(using) else ""
        figured = figures(period, using, event_type)
        return cls(period, event_type, sending, _oldest_due(using, sending), figured, using)

    def sentences(self) -> list[str]:
        """The state of sending in words."""
        return explain.sentences(self.sending)

    def last_day(self) -> list[Figure]:
        """The counts of the last 24 hours, for the line that is always visible; without zeros, except for failed."""
        _words, newest, _share_of_it = self.counts()[0]
        return [figure for figure in newest if figure.status == "failed" or figure.count != changelist.in_words(0)]

    def accounts(self) -> list[Account]:
        """A line for each account; none if there is only one account."""
        names = filters.accounts(self._using)
        if len(names) < MIN_ACCOUNTS:
            return []
        waiting = filters.for_a_minute(f"strangers:{self._using}", lambda: strangers(self._using))
        return [self._account(name, waiting.get(name, 0)) for name in names]

    def _account(self, name: str, waiting: int) -> Account:
        is_held = self.sending.held or name in self.sending.held_accounts
        query = urlencode({"status": Status.PENDING.value, "account": name})
        words = explain.of_account(name, self.sending, waiting)
        return Account(name, words, is_held, is_known(name), f"?{query}{ANCHOR}")

    def looks(self) -> list[Told]:
        """The results of the last looks for unreported orders."""
        return looks(self._using)

    def period_in_words(self) -> str:
        """The window that the reasons and the chart are of, and the type where it is one."""
        words = self.words_of_period()
        return f"{words}, {event_name(self.event_type)}" if self.event_type else words

    def words_of_period(self) -> str:
        """The window alone."""
        return str(filters.WORDS_OF_PERIOD[self.period.key])

    def periods(self) -> list[tuple[str, str, bool]]:
        """The periods to choose from: for each its URL, its name, and whether it is shown now."""
        return [
            (f"?{urlencode({filters.PARAMETER: key, **self._of_type()})}", str(words), key == self.period.key)
            for key, words in filters.WORDS_OF_PERIOD.items()
        ]

    def _of_type(self) -> dict[str, str]:
        return {str(filters.TypeFilter.parameter_name): self.event_type} if self.event_type else {}

    def types(self) -> list[tuple[str, list[Figure], str]]:
        """For each type that there is what `counts` has for each period; none where there is but one."""
        types = filters.types(self._using)
        if len(types) < 2:
            return []
        key = f"by_type:{self._using}:{self.period.key}"
        window = Window(self.period.start())
        counted = filters.for_a_minute(key, lambda: count_by_type(self._using, window, types))
        return [
            (event_name(name), [_figure(counts[each], self.period, each, type=name) for each in SHOWN_STATUSES],
             _share(counts))
            for name, counts in counted.items()
        ]  # fmt: skip

    def statuses(self) -> list[str]:
        """The headings of the table of counts."""
        return [str(status.label) for status in SHOWN_STATUSES]

    def counts(self) -> list[tuple[str, list[Figure], str]]:
        """The table of counts: for each period the counts, and the share of sent among entries no longer pending."""
        return [
            (
                str(filters.WORDS_OF_PERIOD[period.key]),
                [_figure(counts[status], period, status, **self._of_type()) for status in SHOWN_STATUSES],
                _share(counts),
            )
            for period, counts in self._figures.by_period
        ]

    def failures(self) -> list[Failure]:
        """Why entries of the period failed, the commonest reason first."""
        return [Failure(each.reason, plainly(each.reason).words, self._failed(each)) for each in self._figures.failures]

    def _failed(self, counted: ReasonCount) -> Figure:
        return _figure(counted.count, self.period, "failed", reason=counted.reason, **self._of_type())

    def chart(self) -> Chart:
        """The chart of the period."""
        return Chart(self._figures.steps, self.period.by_hour, self._figures.before)


def _share(counts: Mapping[str, int]) -> str:
    """`98.5 %`; empty where nothing has ended, or where there were too many to be counted."""
    ended = _ended(counts)
    if not sum(ended) or max(ended) > functions.LIMIT:
        return ""
    return _("%(share)s %%") % {"share": number_format(100 * counts[Status.SENT] / sum(ended), decimal_pos=1)}


def _figure(count: int, period: Period, status: str, **further: str) -> Figure:
    query = urlencode({filters.PARAMETER: period.key, "status": status, **further})
    return Figure(changelist.in_words(count), f"?{query}{ANCHOR}", status, str(Status(status).label))


def _oldest_due(using: str, sending: SendingState) -> str:
    since = due_since(using, sending)
    if since is None:
        return _("Nothing is waiting that is due.")
    return _("The oldest entry that is due has been waiting for %(time)s.") % {
        "time": durations.in_words(sending.now - since)
    }
