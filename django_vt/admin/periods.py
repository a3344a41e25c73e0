"""The windows of time that the list and the figures above it know: the last 24 hours, 7 and 30 days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PARAMETER = "recorded"


@dataclass(frozen=True)
class Period:
    """A window that ends now; `by_hour` or by day is how its chart is divided."""

    key: str
    words: str | Promise
    length: timedelta
    by_hour: bool = False

    def start(self) -> datetime:
        """When it begins."""
        return timezone.now() - self.length

    def steps(self) -> list[tuple[datetime, datetime]]:
        """The hours, or the days of the current time zone, that the chart shows; the last one is not over yet."""
        now = timezone.localtime() if timezone.is_aware(timezone.now()) else timezone.now()
        step = timedelta(hours=1) if self.by_hour else timedelta(days=1)
        first = now.replace(minute=0, second=0, microsecond=0)
        last = first if self.by_hour else first.replace(hour=0)
        count = self.length // step
        return [(last - step * back, last - step * (back - 1)) for back in reversed(range(count))]


DAY = Period("24h", _("Last 24 hours"), timedelta(hours=24), by_hour=True)
PERIODS = (DAY, Period("7d", _("Last 7 days"), timedelta(days=7)), Period("30d", _("Last 30 days"), timedelta(days=30)))
BY_KEY = {period.key: period for period in PERIODS}
