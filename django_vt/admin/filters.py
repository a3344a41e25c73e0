"""The list's filters, and a cache of one minute for values that every view of the list needs."""

from __future__ import annotations

import abc
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from operator import itemgetter
from typing import Any, TypeVar

from django.conf import settings as django_settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.core.cache.backends.locmem import LocMemCache
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_vt.admin import lookup
from django_vt.admin.plain_words import plainly
from django_vt.events import event_name
from django_vt.models import SendLogEntry, Status, functions
from django_vt.operations.figures import PERIOD_OF, READ_FOR_REASONS, top_reasons
from django_vt.operations.strangers import accounts_on
from django_vt.protocol import reasons

T = TypeVar("T")

# Django's cache in this process's memory, not the project's cache: that may be on a remote server, or down, and this
# page must still open.
SECONDS = 60
_kept = LocMemCache("django_vt_figures", {"TIMEOUT": SECONDS})


def for_a_minute(key: str, make: Callable[[], T]) -> T:
    """The cached result of `make`; it is called again if the result is older than a minute."""
    value: Any = _kept.get_or_set(key, make)
    kept: T = value
    return kept


def forget() -> None:
    """Clear the cache: call it after staff have changed something, so that they see the effect."""
    _kept.clear()


# The names of the periods.

PARAMETER = "recorded"
WORDS_OF_PERIOD = {
    "24h": gettext_lazy("Last 24 hours"),
    "7d": gettext_lazy("Last 7 days"),
    "30d": gettext_lazy("Last 30 days"),
}


# The list's filters. An index serves each condition, and no filter reads the table for its choices.

MOST_TYPES = 30
MOST_REASONS = 30
DAYS = ("since", "until")
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9000, 1, 1)
NO_ANSWER = "none"
ANSWER = re.compile(r"[0-9]{3}", re.ASCII)
WORDS_OF_ANSWERS = {
    "2xx": gettext_lazy("accepted (2xx)"),
    "4xx": gettext_lazy("refused (4xx)"),
    "5xx": gettext_lazy("Vibetrace at fault (5xx)"),
    NO_ANSWER: gettext_lazy("no answer"),
}
Choices = list[tuple[str, Any]]


class StatusFilter(admin.SimpleListFilter):
    """Filters by status."""

    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The choices."""
        return list(Status.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The entries that match."""
        return queryset.filter(status=self.value()) if self.value() else queryset


class PeriodFilter(admin.SimpleListFilter):
    """Filters by the time of recording."""

    title = gettext_lazy("time of recording")
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The choices."""
        return list(WORDS_OF_PERIOD.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The entries that match."""
        period = PERIOD_OF.get(self.value() or "")
        return queryset.filter(created_at__gte=period.start()) if period else queryset


class TypeFilter(admin.SimpleListFilter):
    """Filters by the vendor's event type."""

    title = gettext_lazy("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """What there is to choose from."""
        found = types(SendLogEntry.objects.all().db)
        asked_for = [value] if (value := self.value()) else []
        return [(name, event_name(name)) for name in sorted({*found, *asked_for})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The entries that match."""
        return queryset.filter(event_type=self.value()) if self.value() else queryset


class NewestFilter(admin.SimpleListFilter, abc.ABC):
    """Filters by a column that no index holds, so only among the newest entries within the limit."""

    column: str

    @abc.abstractmethod
    def is_chosen(self, value: Any) -> bool:
        """Whether an entry with this value in the column matches."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The entries that match. Python compares, so case matters on every database."""
        if not self.value():
            return queryset
        entries = SendLogEntry.objects.using(queryset.db)
        newest = entries.filter(pk__in=functions.first_ids(queryset)).values_list("pk", self.column)
        return entries.filter(pk__in=[pk for pk, value in newest if self.is_chosen(value)])


class AccountFilter(NewestFilter):
    """Filters by account; hidden if there is only one."""

    title = gettext_lazy("account")
    parameter_name = "account"
    column = "account_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The choices."""
        found = accounts(SendLogEntry.objects.all().db)
        asked_for = [value] if (value := self.value()) else []
        names = sorted({*found, *asked_for})
        return [(name, name) for name in names] if len(found) > 1 or asked_for else []

    def is_chosen(self, value: Any) -> bool:
        """Whether it is the chosen account."""
        return bool(value == self.value())


class AnswerFilter(NewestFilter):
    """Filters by Vibetrace's last answer: a status, a kind of status, or no answer."""

    title = gettext_lazy("last answer")
    parameter_name = "answer"
    column = "response_status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The kinds, and the status in use, if any."""
        value = self.value() or ""
        exact = [(value, value)] if ANSWER.fullmatch(value) else []
        return [*WORDS_OF_ANSWERS.items(), *exact]

    def is_chosen(self, value: Any) -> bool:
        """Whether the answer is the chosen one."""
        asked = self.value()
        return value is None if asked == NO_ANSWER else str(value) == asked or f"{str(value)[:1]}xx" == asked


class ReasonFilter(admin.SimpleListFilter):
    """Filters by the reason for failing or skipping. The choices are those of the newest entries."""

    title = gettext_lazy("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The reasons of the newest entries, and the one in use, if any."""
        using = SendLogEntry.objects.all().db
        found = for_a_minute(f"reasons:{using}", lambda: reasons_on(using))
        asked_for = [value] if (value := self.value()) else []
        return sorted(((name, plainly(name).words) for name in {*found, *asked_for}), key=itemgetter(1))

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The entries that match."""
        if not self.value():
            return queryset
        # Look only at the newest within the limit, because no index holds the reason. The earlier filters have applied.
        status = request.GET.get(StatusFilter.parameter_name) or self._status()
        newest = functions.first_ids(queryset.filter(status=status))
        return SendLogEntry.objects.using(queryset.db).filter(pk__in=newest, reason=self.value())

    def _status(self) -> Status:
        """The status that entries with this reason usually have."""
        code = reasons.split(str(self.value()))[0]
        return Status.SKIPPED if code in reasons.OF_SKIPPED else Status.FAILED


class DaysFilter(admin.ListFilter):
    """Filters by the day of recording, in the viewer's time zone: from the first day to the last, both included."""

    title = gettext_lazy("day of recording")
    parameter_name = DAYS[0]  # Unfold requires this attribute of every filter
    template = "admin/django_vt/sendlogentry/days.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.expected_parameters():
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]
        given = ((name, value) for name, values in request.GET.lists() for value in values)
        self._others = [(name, value) for name, value in given if name not in {*DAYS, PAGE_VAR, ERROR_FLAG}]

    def has_output(self) -> bool:
        """Always shown, because any day may be chosen."""
        return True

    def expected_parameters(self) -> list[str]:  # type: ignore[override]
        """The parameters of the first and the last day."""
        return [*DAYS]

    def choices(self, changelist: Any) -> Any:
        """The form's fields: the two days, and the other filters as hidden fields."""
        return [{**self.used_parameters, "others": self._others}]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The entries that match."""
        since, until = (self._day(name) for name in DAYS)
        if since is not None:
            queryset = queryset.filter(created_at__gte=beginning_of(since))
        if until is not None:
            after = min(until, LAST_DAY) + timedelta(days=1)
            queryset = queryset.filter(created_at__lt=beginning_of(after))
        return queryset

    def _day(self, name: str) -> date | None:
        text = str(self.used_parameters.get(name) or "")
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            raise IncorrectLookupParameters from None


def beginning_of(day: date) -> datetime:
    """When a day begins in the viewer's time zone; naive if USE_TZ is False."""
    # Keep away from the ends of Python's calendar, where a time zone's offset would overflow.
    midnight = datetime.combine(min(max(day, FIRST_DAY), LAST_DAY), time.min)
    return timezone.make_aware(midnight) if django_settings.USE_TZ else midnight


class SameFilter(admin.SimpleListFilter):
    """Filters by what entries share with a given entry. Searches and the links to related entries use it."""

    title = gettext_lazy("what they have in common")
    parameter_name = lookup.PARAMETER
    ids: Sequence[int] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The choice in use, if any."""
        value = self.value()
        return [(value, self._words(value))] if value else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The entries that match."""
        what, number = self._parsed(str(self.value()))
        entries = SendLogEntry.objects.using(queryset.db)
        entry = entries.filter(pk=number).first()
        self.ids = lookup.having(what, entry, entries.all()) if entry else []
        if not self.ids or entry is None:
            return queryset.none()
        if asks_for_nothing_but_same(request) and not request.POST.get("select_across"):
            # The list is paged by the ids, see `Chosen`. Only an action uses this queryset, with the ids of selected
            # entries. An action on all entries selects none, and so gets the ids below.
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

SIMPLE = (StatusFilter, TypeFilter, PeriodFilter, AccountFilter, ReasonFilter, AnswerFilter, SameFilter)
# In the order in which they apply: filters that look at the newest entries come after those that an index serves.
FILTERS = (StatusFilter, TypeFilter, PeriodFilter, DaysFilter, AccountFilter, ReasonFilter, AnswerFilter, SameFilter)
PARAMETERS = {*DAYS, *(str(each.parameter_name) for each in SIMPLE)}
# The parameters of the filters that choose entries by id.
BY_ID = {str(each.parameter_name) for each in (AccountFilter, ReasonFilter, AnswerFilter, SameFilter)}


def asks_for_nothing_but_same(request: HttpRequest) -> bool:
    """Whether `SameFilter` is the only filter in use, in the default order."""
    asked = {name for name in PARAMETERS | {ORDER_VAR} if request.GET.get(name)}
    return asked == {lookup.PARAMETER}


def accounts(using: str) -> list[str]:
    """The accounts whose entries the list can show, cached for a minute."""
    return for_a_minute(f"accounts:{using}", lambda: accounts_on(using))


def reasons_on(using: str) -> list[str]:
    """The reasons of the newest failed and skipped entries."""
    statuses = (Status.FAILED, Status.SKIPPED)
    return [each.reason for each in top_reasons(using, statuses, newest=READ_FOR_REASONS, most=MOST_REASONS)]


def types(using: str) -> list[str]:
    """The event types that the list can show entries of, as they were within the last minute."""
    return for_a_minute(f"types:{using}", lambda: types_on(using))


def types_on(using: str) -> list[str]:
    """The event types in the log. Each takes one step in the index; a DISTINCT would read the whole index."""
    entries = SendLogEntry.objects.using(using).order_by("event_type").values_list("event_type", flat=True)
    found: list[str] = []
    further = Q()
    while len(found) < MOST_TYPES and (name := entries.filter(further).first()):
        found.append(name)
        further = Q(event_type__gt=name)
    return found
