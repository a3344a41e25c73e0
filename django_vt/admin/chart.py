"""The chart of sent, failed and skipped entries: bars of an SVG, without a script or a style of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import date_format, time_format

from django_vt.admin import paging
from django_vt.admin.figures import CHARTED_STATUSES, Step

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
        return paging.in_words(self._highest())

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
        return [Row(self._label(step), tuple(paging.in_words(count) for count in step.counts)) for step in self.steps]

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
