"""The list's filters, and what is kept for a minute, so that a list that is looked at often asks for it once."""

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

# Django's cache in the memory of this process, and none of the project's: theirs may be a server away, or down, and
# this page must open then too.
SECONDS = 60
_kept = LocMemCache("django_vt_figures", {"TIMEOUT": SECONDS})


def for_a_minute(key: str, make: Callable[[], T]) -> T:
    """What `make` gives, made anew when the one kept under the key is older than a minute."""
    value: Any = _kept.get_or_set(key, make)
    kept: T = value
    return kept


def forget() -> None:
    """Drop everything, as when staff have changed something and look for its effect."""
    _kept.clear()


# What the windows of time are called.

PARAMETER = "recorded"
WORDS_OF_PERIOD = {
    "24h": gettext_lazy("Last 24 hours"),
    "7d": gettext_lazy("Last 7 days"),
    "30d": gettext_lazy("Last 30 days"),
}


# The list's filters. Each is a condition that an index serves; none reads the table for what there is to choose.

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
        return list(WORDS_OF_PERIOD.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The chosen ones."""
        period = PERIOD_OF.get(self.value() or "")
        return queryset.filter(created_at__gte=period.start()) if period else queryset


class TypeFilter(admin.SimpleListFilter):
    """By the vendor's event type."""

    title = gettext_lazy("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """What there is to choose from."""
        found = types(SendLogEntry.objects.all().db)
        asked_for = [value] if (value := self.value()) else []
        return [(name, event_name(name)) for name in sorted({*found, *asked_for})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The chosen ones."""
        return queryset.filter(event_type=self.value()) if self.value() else queryset


class NewestFilter(admin.SimpleListFilter, abc.ABC):
    """By what no index holds: of the newest within the limit."""

    column: str

    @abc.abstractmethod
    def is_chosen(self, value: Any) -> bool:
        """Whether an entry with this value of the column is one of those."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The chosen ones. Compared as Python compares, on every database."""
        if not self.value():
            return queryset
        entries = SendLogEntry.objects.using(queryset.db)
        newest = entries.filter(pk__in=functions.first_ids(queryset)).values_list("pk", self.column)
        return entries.filter(pk__in=[pk for pk, value in newest if self.is_chosen(value)])


class AccountFilter(NewestFilter):
    """By account; not shown where there is but one."""

    title = gettext_lazy("account")
    parameter_name = "account"
    column = "account_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """What there is to choose from."""
        found = accounts(SendLogEntry.objects.all().db)
        asked_for = [value] if (value := self.value()) else []
        names = sorted({*found, *asked_for})
        return [(name, name) for name in names] if len(found) > 1 or asked_for else []

    def is_chosen(self, value: Any) -> bool:
        """Those of the account."""
        return bool(value == self.value())


class AnswerFilter(NewestFilter):
    """By what Vibetrace answered last: one answer, all of its kind, or none at all."""

    title = gettext_lazy("last answer")
    parameter_name = "answer"
    column = "response_status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The kinds, and the one answer that is in force."""
        value = self.value() or ""
        exact = [(value, value)] if ANSWER.fullmatch(value) else []
        return [*WORDS_OF_ANSWERS.items(), *exact]

    def is_chosen(self, value: Any) -> bool:
        """Those that were answered so."""
        asked = self.value()
        return value is None if asked == NO_ANSWER else str(value) == asked or f"{str(value)[:1]}xx" == asked


class ReasonFilter(admin.SimpleListFilter):
    """By why they failed or were skipped: of what the newest of these have, and where the table of reasons leads to."""

    title = gettext_lazy("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Those of the newest, and the one in force."""
        using = SendLogEntry.objects.all().db
        found = for_a_minute(f"reasons:{using}", lambda: reasons_on(using))
        asked_for = [value] if (value := self.value()) else []
        return sorted(((name, plainly(name).words) for name in {*found, *asked_for}), key=itemgetter(1))

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The chosen ones."""
        if not self.value():
            return queryset
        # Of the newest within the limit, as in the table: no index holds the reason. They meet the filters before this.
        status = request.GET.get(StatusFilter.parameter_name) or self._status()
        newest = functions.first_ids(queryset.filter(status=status))
        return SendLogEntry.objects.using(queryset.db).filter(pk__in=newest, reason=self.value())

    def _status(self) -> Status:
        """Of the entries that have such a reason, as a rule."""
        code = reasons.split(str(self.value()))[0]
        return Status.SKIPPED if code in reasons.OF_SKIPPED else Status.FAILED


class DaysFilter(admin.ListFilter):
    """By the days on which they were recorded, in the reader's time zone: from one to another, both among them."""

    title = gettext_lazy("day of recording")
    parameter_name = DAYS[0]  # which Unfold asks of every filter
    template = "admin/django_vt/sendlogentry/days.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.expected_parameters():
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]
        given = ((name, value) for name, values in request.GET.lists() for value in values)
        self._others = [(name, value) for name, value in given if name not in {*DAYS, PAGE_VAR, ERROR_FLAG}]

    def has_output(self) -> bool:
        """Always: any day may be asked for."""
        return True

    def expected_parameters(self) -> list[str]:  # type: ignore[override]
        """The first day and the last."""
        return [*DAYS]

    def choices(self, changelist: Any) -> Any:
        """What the form holds: the two days, and the other filters as hidden fields."""
        return [{**self.used_parameters, "others": self._others}]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The chosen ones."""
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
    """When a day begins in the reader's time zone; naive where USE_TZ is False."""
    # In some time zones the first and the last day of Python's calendar are out of its range.
    midnight = datetime.combine(min(max(day, FIRST_DAY), LAST_DAY), time.min)
    return timezone.make_aware(midnight) if django_settings.USE_TZ else midnight


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
        if asks_for_nothing_but_same(request) and not request.POST.get("select_across"):
            # The list is paged by the ids, see `Chosen`; only an action asks this queryset, for those it was given. One
            # for all that are found is given none, and gets the ids.
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
# In the order in which they narrow the list: those that look at the newest come after those that an index serves.
FILTERS = (StatusFilter, TypeFilter, PeriodFilter, DaysFilter, AccountFilter, ReasonFilter, AnswerFilter, SameFilter)
PARAMETERS = {*DAYS, *(str(each.parameter_name) for each in SIMPLE)}
# Those that choose entries by id.
BY_ID = {str(each.parameter_name) for each in (AccountFilter, ReasonFilter, AnswerFilter, SameFilter)}


def asks_for_nothing_but_same(request: HttpRequest) -> bool:
    """Whether a list is of what has something in common with an entry, the newest first, and of nothing else."""
    asked = {name for name in PARAMETERS | {ORDER_VAR} if request.GET.get(name)}
    return asked == {lookup.PARAMETER}


def accounts(using: str) -> list[str]:
    """The accounts that the list can show entries of, as they were within the last minute."""
    return for_a_minute(f"accounts:{using}", lambda: accounts_on(using))


def reasons_on(using: str) -> list[str]:
    """Why the newest of those that failed or were skipped did."""
    statuses = (Status.FAILED, Status.SKIPPED)
    return [each.reason for each in top_reasons(using, statuses, newest=READ_FOR_REASONS, most=MOST_REASONS)]


def types(using: str) -> list[str]:
    """The event types that the list can show entries of, as they were within the last minute."""
    return for_a_minute(f"types:{using}", lambda: types_on(using))


def types_on(using: str) -> list[str]:
    """The event types there are, each found by one step through the index, which a DISTINCT would read whole."""
    entries = SendLogEntry.objects.using(using).order_by("event_type").values_list("event_type", flat=True)
    found: list[str] = []
    further = Q()
    while len(found) < MOST_TYPES and (name := entries.filter(further).first()):
        found.append(name)
        further = Q(event_type__gt=name)
    return found
