"""The list of entries, which counts to ten thousand at most."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_vt.admin import filters
from django_vt.models import SendLogEntry, functions

if TYPE_CHECKING:
    EntryPaginator = Paginator[SendLogEntry]
else:
    EntryPaginator = Paginator


def in_words(count: int) -> str:
    """A count in words; if it is beyond the limit, `more than 10,000`."""
    shown = number_format(min(count, functions.LIMIT), force_grouping=True)
    return _("more than %(count)s") % {"count": shown} if count > functions.LIMIT else shown


class Chosen:
    """A list of entries with known ids, newest first, that is counted and sliced for paging without a query.

    A database takes longer to parse ten thousand ids in a query than to find a page.
    """

    def __init__(self, ids: Sequence[int], using: str) -> None:
        self._ids = ids
        self._rows = SendLogEntry.objects.using(using)

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, window: slice) -> models.QuerySet[SendLogEntry]:
        return self._rows.filter(pk__in=self._ids[window]).order_by("-pk")

    def _clone(self) -> models.QuerySet[SendLogEntry]:
        """All of them. Django's list calls this on a queryset that fits on one page."""
        return self[:]


class BoundedPaginator(EntryPaginator):
    """Pages through the first ten thousand rows; Django also uses it for an entry's history."""

    @cached_property
    def count(self) -> int:
        """The number of rows that can be paged through."""
        return min(self._found, functions.LIMIT)

    def found_in_words(self) -> str:
        """The number of rows in words, such as `more than 10,000`."""
        return in_words(self._found)

    @cached_property
    def _found(self) -> int:
        found: models.QuerySet[Any] | Chosen = self.object_list  # type: ignore[assignment]
        if isinstance(found, Chosen):
            return len(found)
        return (functions.counted(found) if found.model is SendLogEntry else found[: functions.LIMIT + 1]).count()


# The anchor of the list on Django's page, so that a link from a figure shows the entries and not the overview.
ANCHOR = "#changelist"


class SendLogChangeList(ChangeList):
    """The list of entries, newest first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("Send log")

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[SendLogEntry]:
        """The filtered entries, in an order that the filter's index has, or sorted without an index."""
        if any("\0" in value for values in request.GET.lists() for value in values[1]):
            raise IncorrectLookupParameters  # PostgreSQL refuses a NUL in any parameter
        found: QuerySet[SendLogEntry] = super().get_queryset(request, *args, **kwargs)
        return functions.sorted_apart(found) if filters.BY_ID & request.GET.keys() else found

    def get_results(self, request: HttpRequest) -> None:
        """Get one page: first the ids, then the rows."""
        found = self.queryset
        self.queryset = self._chosen(request) or found
        super().get_results(request)
        self.queryset = found
        self.result_list = functions.fetched(self.result_list)

    def _chosen(self, request: HttpRequest) -> Chosen | None:
        """The entries chosen by id, if no other filter applies."""
        if not filters.asks_for_nothing_but_same(request):
            return None
        [same] = [spec for spec in self.filter_specs if isinstance(spec, filters.SameFilter)]
        return Chosen(same.ids, self.queryset.db)

    @property
    def in_words(self) -> Worded:
        """The list for Django's own pagination template, which writes the count."""
        return Worded(self)


class CountInWords(int):
    """A number for templates that is shown as `more than 10,000` if it was not counted to the end."""

    words: str

    @classmethod
    def of(cls, paginator: BoundedPaginator) -> CountInWords:
        """The number of entries that can be paged through."""
        count = cls(paginator.count)
        count.words = paginator.found_in_words()
        return count

    def __str__(self) -> str:
        return self.words


class Worded:
    """A list whose count is in words. Django's template adds a noun, so this gives it in the form for the number."""

    def __init__(self, changelist: SendLogChangeList) -> None:
        self._changelist = changelist
        self.result_count = CountInWords.of(changelist.paginator)
        noun = ngettext("%(count)s entry", "%(count)s entries", self.result_count) % {"count": ""}
        self.opts = SimpleNamespace(verbose_name=noun.strip(), verbose_name_plural=noun.strip())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._changelist, name)
