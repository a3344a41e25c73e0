"""Counting that never takes longer than counting to ten thousand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db import connections, models
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from django_vt.models import SendLogEntry

LIMIT = 10_000

if TYPE_CHECKING:
    EntryPaginator = Paginator[SendLogEntry]
else:
    EntryPaginator = Paginator


def in_words(count: int) -> str:
    """A count, where one beyond the limit was not counted to its end."""
    shown = number_format(min(count, LIMIT), force_grouping=True)
    return _("more than %(count)s") % {"count": shown} if count > LIMIT else shown


def counted(entries: models.QuerySet[SendLogEntry]) -> models.QuerySet[SendLogEntry, Any]:
    """What is counted: in the order of an index, which its database so has a reason to use, up to the limit."""
    return entries.order_by("-created_at").values("created_at")[: LIMIT + 1]


def count_each(several: Sequence[models.QuerySet[SendLogEntry]], using: str) -> list[int]:
    """The count of each, one above the limit standing for all larger ones: one statement on the database `using`."""
    # The ORM has no way to ask for several counts of sliced querysets at once; their own SQL is used as it is.
    compiled = [counted(entries).query.get_compiler(using=using).as_sql() for entries in several]
    columns = ", ".join(f"(SELECT COUNT(*) FROM ({sql}) counted)" for sql, _params in compiled)  # noqa: S608
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT {columns}", [value for _sql, params in compiled for value in params])
        return list(cursor.fetchone())


class BoundedPaginator(EntryPaginator):
    """Pages over the first ten thousand of what is found; Django pages an entry's history with it too."""

    @cached_property
    def count(self) -> int:
        """How many can be paged through."""
        return min(self._found, LIMIT)

    def found_in_words(self) -> str:
        """How many there are: `more than 10,000`."""
        return in_words(self._found)

    @cached_property
    def _found(self) -> int:
        found: models.QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return (counted(found) if found.model is SendLogEntry else found[: LIMIT + 1]).count()
