"""Counting that never takes longer than counting to ten thousand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db import models
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from django_vt.models import SendLogEntry, bounded

if TYPE_CHECKING:
    EntryPaginator = Paginator[SendLogEntry]
else:
    EntryPaginator = Paginator


def in_words(count: int) -> str:
    """A count, where one beyond the limit was not counted to its end."""
    shown = number_format(min(count, bounded.LIMIT), force_grouping=True)
    return _("more than %(count)s") % {"count": shown} if count > bounded.LIMIT else shown


class Chosen:
    """Entries whose ids are known, newest first, as a list to be paged through: counted and cut without a query.

    A database that is given ten thousand ids takes longer to read them than it takes to find a page.
    """

    def __init__(self, ids: Sequence[int], using: str) -> None:
        self._ids = ids
        self._rows = SendLogEntry.objects.using(using)

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, window: slice) -> models.QuerySet[SendLogEntry]:
        return self._rows.filter(pk__in=self._ids[window]).order_by("-pk")

    def _clone(self) -> models.QuerySet[SendLogEntry]:
        """What Django's list asks of a queryset that fits on one page."""
        return self[:]


class BoundedPaginator(EntryPaginator):
    """Pages over the first ten thousand of what is found; Django pages an entry's history with it too."""

    @cached_property
    def count(self) -> int:
        """How many can be paged through."""
        return min(self._found, bounded.LIMIT)

    def found_in_words(self) -> str:
        """How many there are: `more than 10,000`."""
        return in_words(self._found)

    @cached_property
    def _found(self) -> int:
        found: models.QuerySet[Any] | Chosen = self.object_list  # type: ignore[assignment]
        if isinstance(found, Chosen):
            return len(found)
        return (bounded.counted(found) if found.model is SendLogEntry else found[: bounded.LIMIT + 1]).count()
