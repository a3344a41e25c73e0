"""The list's filters, and what is kept for a minute, so that a list that is looked at often asks for it once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR
from django.core.cache.backends.locmem import LocMemCache
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_vt.admin import lookup
from django_vt.admin.plain_words import plainly
from django_vt.events import event_name
from django_vt.models import SendLogEntry, Status, functions
from django_vt.operations.figures import PERIOD_OF
from django_vt.operations.strangers import accounts_on

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
        using = SendLogEntry.objects.all().db
        types = for_a_minute(f"types:{using}", lambda: types_on(using))
        asked_for = [value] if (value := self.value()) else []
        return [(name, event_name(name)) for name in sorted({*types, *asked_for})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The chosen ones."""
        return queryset.filter(event_type=self.value()) if self.value() else queryset


class AccountFilter(admin.SimpleListFilter):
    """By account; not shown where there is but one."""

    title = gettext_lazy("account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """What there is to choose from."""
        found = accounts(SendLogEntry.objects.all().db)
        asked_for = [value] if (value := self.value()) else []
        names = sorted({*found, *asked_for})
        return [(name, name) for name in names] if len(found) > 1 or asked_for else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> QuerySet[SendLogEntry]:
        """The chosen ones, of the newest within the limit: no index holds the account. Compared as Python compares."""
        if not self.value():
            return queryset
        newest = queryset.order_by(*functions.NEWEST_FIRST).values_list("pk", "account_id")[: functions.LIMIT]
        ids = [pk for pk, account_id in newest if account_id == self.value()]
        return SendLogEntry.objects.using(queryset.db).filter(pk__in=ids)


class ReasonFilter(admin.SimpleListFilter):
    """By why they failed: where the table of reasons leads to. Shown, so that it can be left, while in force."""

    title = gettext_lazy("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The one in force."""
        value = self.value()
        return [(value, plainly(value).words)] if value else []

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

FILTERS = (StatusFilter, TypeFilter, PeriodFilter, AccountFilter, ReasonFilter, SameFilter)
PARAMETERS = {str(each.parameter_name) for each in FILTERS}
# Those that choose entries by id.
BY_ID = {str(each.parameter_name) for each in (AccountFilter, ReasonFilter, SameFilter)}


def asks_for_nothing_but_same(request: HttpRequest) -> bool:
    """Whether a list is of what has something in common with an entry, the newest first, and of nothing else."""
    asked = {name for name in PARAMETERS | {ORDER_VAR} if request.GET.get(name)}
    return asked == {lookup.PARAMETER}


def accounts(using: str) -> list[str]:
    """The accounts that the list can show entries of, as they were within the last minute."""
    return for_a_minute(f"accounts:{using}", lambda: accounts_on(using))


def types_on(using: str) -> list[str]:
    """The event types there are, each found by one step through the index, which a DISTINCT would read whole."""
    entries = SendLogEntry.objects.using(using).order_by("event_type").values_list("event_type", flat=True)
    found: list[str] = []
    further = Q()
    while len(found) < MOST_TYPES and (name := entries.filter(further).first()):
        found.append(name)
        further = Q(event_type__gt=name)
    return found
