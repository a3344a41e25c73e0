"""The list itself: what Django's own does, with a title, and with a count that says where it is not exact."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_vt.admin import filters
from django_vt.admin.paging import Chosen
from django_vt.models import SendLogEntry, bounded

# Where Django's page has the list. The overview stands above it: who follows a figure is to see the entries at once.
ANCHOR = "#changelist"


class SendLogChangeList(ChangeList):
    """The list of entries, newest first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("Send log")

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[SendLogEntry]:
        """What the filters leave, in an order that an index of theirs has, or that is made apart."""
        found: QuerySet[SendLogEntry] = super().get_queryset(request, *args, **kwargs)
        return bounded.sorted_apart(found) if filters.BY_ID & request.GET.keys() else found

    def get_results(self, request: HttpRequest) -> None:
        """A page, of which the ids are asked for first."""
        found = self.queryset
        self.queryset = self._chosen(request) or found
        super().get_results(request)
        self.queryset = found
        self.result_list = bounded.fetched(self.result_list)

    def _chosen(self, request: HttpRequest) -> Chosen | None:
        """What was chosen by id, where nothing else is asked of it."""
        if not filters.asks_for_nothing_but_same(request):
            return None
        [same] = [spec for spec in self.filter_specs if isinstance(spec, filters.SameFilter)]
        return Chosen(same.ids, self.queryset.db)

    @property
    def in_words(self) -> Worded:
        """The list for Django's own pagination template, which writes the count."""
        return Worded(self)


class Worded:
    """A list whose count is in words, `more than 10,000` where it was not counted to its end."""

    def __init__(self, changelist: SendLogChangeList) -> None:
        self._changelist = changelist
        entries = ngettext("%(count)s entry", "%(count)s entries", changelist.result_count)
        self.result_count = entries % {"count": changelist.paginator.found_in_words()}
        # The template writes the model's name after the count; the noun is in these words, where its grammar is known.
        self.opts = SimpleNamespace(verbose_name="", verbose_name_plural="")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._changelist, name)
