"""Figures kept for a minute, so that a list that is looked at often asks for them once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_vt.admin import lookup
from django_vt.models import SendLogEntry, Status, functions
from django_vt.protocol import reasons

KEPT_FOR = timedelta(minutes=1)
T = TypeVar("T")

# Of this process, and not in Django's cache: that one may be a server away, or down, and this page must open then too.
_kept: dict[object, tuple[datetime, Any]] = {}


def for_a_minute(key: object, make: Callable[[], T]) -> T:
    """What `make` gives, made anew when the one kept under the key is older than a minute."""
    now = timezone.now()
    found = _kept.get(key)
    if found is None or not timedelta(0) <= now - found[0] < KEPT_FOR:
        found = _kept[key] = now, make()
    value: T = found[1]
    return value


def forget() -> None:
    """Drop everything, as when staff have changed something and look for its effect."""
    _kept.clear()


# The windows of time that the list and the figures above it know: the last 24 hours, 7 and 30 days.

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


DAY = Period("24h", gettext_lazy("Last 24 hours"), timedelta(hours=24), by_hour=True)
PERIODS = (
    DAY,
    Period("7d", gettext_lazy("Last 7 days"), timedelta(days=7)),
    Period("30d", gettext_lazy("Last 30 days"), timedelta(days=30)),
)
BY_KEY = {period.key: period for period in PERIODS}


# The list's filters. Each is a condition that an index serves; none reads the table for what there is to choose.

MOST_TYPES = 30
Choices = list[tuple[str, Any]]


class StatusFilter(admin.SimpleListFilter):
    """By where they stand."""

    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """What there is to choose from."""
        return list(Status.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The chosen ones."""
        return queryset.filter(status=self.value()) if self.value() else queryset


class PeriodFilter(admin.SimpleListFilter):
    """By when they were recorded."""

    title = gettext_lazy("time of recording")
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """What there is to choose from."""
        return [(period.key, period.words) for period in PERIODS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The chosen ones."""
        period = BY_KEY.get(self.value() or "")
        return queryset.filter(created_at__gte=period.start()) if period else queryset


class TypeFilter(admin.SimpleListFilter):
    """By the vendor's event type."""

    title = gettext_lazy("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """What there is to choose from."""
        using = SendLogEntry.objects.all().db
        types = for_a_minute(("types", using), lambda: types_on(using))
        asked_for = [value] if (value := self.value()) else []
        return [(name, name) for name in sorted({*types, *asked_for})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The chosen ones."""
        return queryset.filter(event_type=self.value()) if self.value() else queryset


class ReasonFilter(admin.SimpleListFilter):
    """By why they failed: where the table of reasons leads to. Shown, so that it can be left, while in force."""

    title = gettext_lazy("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The one in force."""
        value = self.value()
        return [(value, reasons.describe(value))] if value else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The chosen ones."""
        # Of the newest within the limit, as in the table: no index holds the reason. They meet the filters before this.
        failed = functions.first_ids(queryset.filter(status=Status.FAILED))
        return SendLogEntry.objects.using(queryset.db).filter(pk__in=failed, reason=self.value())


class SameFilter(admin.SimpleListFilter):
    """By having something in common with an entry: where a search leads to, and an entry's neighbours."""

    title = gettext_lazy("what they have in common")
    parameter_name = lookup.PARAMETER
    ids: Sequence[int] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The one in force."""
        value = self.value()
        return [(value, self._words(value))] if value else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The chosen ones."""
        what, number = self._parsed(str(self.value()))
        entries = SendLogEntry.objects.using(queryset.db)
        entry = entries.filter(pk=number).first()
        self.ids = lookup.having(what, entry, entries.all()) if entry else []
        if not self.ids or entry is None:
            return queryset.none()
        if asks_for_nothing_but_same(request):
            # The list is paged by the ids, see `Chosen`; only an action asks this queryset, for those it was given.
            return queryset.filter(lookup.condition(what, entry))
        return queryset.filter(pk__in=self.ids)

    def _words(self, value: str) -> str:
        what, number = self._parsed(value)
        return COMMON[what]() % {"number": number}

    def _parsed(self, value: str) -> tuple[str, int]:
        match = lookup.PATTERN.fullmatch(value)
        if match is None:
            raise IncorrectLookupParameters
        return match[1], int(match[2])


COMMON = {
    lookup.REFERENCE: lambda: _("The reference of entry %(number)d"),
    lookup.IDENTITY: lambda: _("The identity of entry %(number)d"),
    lookup.ADDRESS: lambda: _("The e-mail address of entry %(number)d"),
}

FILTERS = (StatusFilter, TypeFilter, PeriodFilter, ReasonFilter, SameFilter)
PARAMETERS = {str(each.parameter_name) for each in FILTERS}
# Those that choose entries by id.
BY_ID = {str(each.parameter_name) for each in (ReasonFilter, SameFilter)}


def asks_for_nothing_but_same(request: HttpRequest) -> bool:
    """Whether a list is of what has something in common with an entry, the newest first, and of nothing else."""
    return (PARAMETERS | {ORDER_VAR}) & request.GET.keys() == {lookup.PARAMETER}


def types_on(using: str) -> list[str]:
    """The event types there are, each found by one step through the index, which a DISTINCT would read whole."""
    entries = SendLogEntry.objects.using(using).order_by("event_type").values_list("event_type", flat=True)
    found: list[str] = []
    further = Q()
    while len(found) < MOST_TYPES and (name := entries.filter(further).first()):
        found.append(name)
        further = Q(event_type__gt=name)
    return found
