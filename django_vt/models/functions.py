"""Queries that read no more rows of a large send log than are shown or counted.

If a database is asked for the newest fifty entries of some kind, it often reads all entries from the newest on, because
it expects to find fifty soon. If they are all old, it reads the whole table. An index that holds the condition, the
order and the id answers alone. So ask for ids first, and then for rows by their ids.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import partialmethod
from typing import TYPE_CHECKING, Any

from django.conf import settings as django_settings
from django.db import connections, models
from django.db.models import OrderBy, Q
from django.db.models.functions import Greatest
from django.utils.timezone import get_default_timezone, is_aware, make_naive

if TYPE_CHECKING:
    from django_vt.models.send_log import SendLogEntry

LIMIT = 10_000
# Milliseconds of tolerance. A statement may wait for a lock after its time was read, while another worker takes a lease
# that ends later than was possible at that time. That is no sign of a wrong clock.
READINGS_APART = 60_000
NEWEST_FIRST, OLDEST_FIRST = ("-created_at", "-pk"), ("created_at", "pk")


def counted(entries: models.QuerySet[SendLogEntry]) -> models.QuerySet[SendLogEntry, Any]:
    """At most LIMIT + 1 rows, keeping the order so that its index serves the count."""
    return entries.order_by(*entries.query.order_by[:1]).values("created_at")[: LIMIT + 1]


def count_each(entries: models.QuerySet[SendLogEntry], asked: Sequence[Mapping[str, object]]) -> list[int]:
    """For each set of lookups the count, one above the limit standing for all larger ones: one statement."""
    # The ORM has no way to ask for several counts of sliced querysets at once; their own SQL is used as it is. It is
    # made once for all that ask by the same lookups: a page asks for a hundred counts.
    connection = connections[entries.db]
    fields = {field.name: field for field in entries.model._meta.fields}
    by_form: dict[tuple[str, ...], str] = {}
    columns, values = list[str](), list[Any]()
    for lookups in asked:
        form = tuple(lookups)
        if form not in by_form:
            by_form[form] = _sql_of_count(entries, lookups)
        columns.append(by_form[form])
        for name, value in lookups.items():
            values.append(fields[name.partition("__")[0]].get_db_prep_value(value, connection))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)}", values)
        return list(cursor.fetchone())


def _sql_of_count(entries: models.QuerySet[SendLogEntry], lookups: Mapping[str, object]) -> str:
    # One after the other, as Django orders what it is given at once.
    for name, value in lookups.items():
        entries = entries.filter(**{name: value})
    sql, _values = counted(entries.order_by("-created_at")).query.get_compiler(using=entries.db).as_sql()
    return f"(SELECT COUNT(*) FROM ({sql}) counted)"  # noqa: S608


def first_ids(
    entries: models.QuerySet[SendLogEntry], *, by: Sequence[str] = NEWEST_FIRST, most: int | None = None
) -> list[int]:
    """The ids of the first entries, up to LIMIT or `most`. An index must hold the columns of filter and order."""
    return list(entries.order_by(*by).values_list("pk", flat=True)[: LIMIT if most is None else most])


def fetched(entries: models.QuerySet[SendLogEntry]) -> models.QuerySet[SendLogEntry]:
    """The same rows in the same order, fetched by their ids. `entries` must be ordered, and sliced or few."""
    ids = list(entries.values_list("pk", flat=True))
    rows: models.QuerySet[SendLogEntry] = entries.model.objects.using(entries.db)
    return rows.filter(pk__in=ids).order_by(*entries.query.order_by) if ids else rows.none()


def sorted_apart(entries: models.QuerySet[SendLogEntry]) -> models.QuerySet[SendLogEntry]:
    """The same entries, which were chosen by id, sorted by time as before, but without the index of `created_at`."""
    when = unindexed("created_at")
    if entries.query.order_by[:1] == OLDEST_FIRST[:1]:
        return entries.order_by(when.asc(), "pk")
    return entries.order_by(when.desc(), "-pk")


def beginning_with(text: str, using: str) -> Q:
    """A condition that the reference begins with `text`, in the form for which the database has an index."""
    return _BEGINNINGS.get(connections[using].vendor, _between)(text)


def _between(text: str) -> Q:
    # SQLite's LIKE ignores case and so uses no index; `>=` and `<` compare bytes.
    return Q(reference__gte=text, reference__lt=f"{text}{chr(sys.maxunicode)}")


_BEGINNINGS: dict[str, Callable[[str], Q]] = {
    "postgresql": lambda text: Q(reference__startswith=text),
    # Ignoring case, as the column's collation does; a case-sensitive condition could not use the index.
    "mysql": lambda text: Q(reference__istartswith=text),
}


class ByCharacters(OrderBy):
    """Orders by code points, as PostgreSQL's index of references does."""

    # Django's compiler looks for the word ASC, which SQL does not allow beside USING.
    as_postgresql = partialmethod(OrderBy.as_sql, template="%(expression)s USING ~<~ /* ASC */")


def unindexed(column: str) -> Greatest:
    """Hide a column from the planner, so that other conditions choose the index: `GREATEST(c, c) = c`."""
    return Greatest(column, column)


EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Well before Python's last year, so that converting to any time zone cannot overflow.
LAST_MOMENT = (datetime(9000, 1, 1, tzinfo=timezone.utc) - EPOCH) // timedelta(milliseconds=1)


def moment(milliseconds: int) -> datetime:
    """A time of the database's clock (ms since 1970 UTC) as a datetime comparable with Django's `timezone.now()`.

    Aware, in UTC, if USE_TZ is True; otherwise naive, in the project's time zone.
    """
    aware = utc(milliseconds)
    # Not in the zone that is active, which may be a visitor's: `now()` knows the project's alone.
    return aware if django_settings.USE_TZ else make_naive(aware, get_default_timezone())


def utc(milliseconds: int) -> datetime:
    """A time of the database's clock (ms since 1970 UTC) as an aware datetime, whatever the project's settings.

    A number beyond the calendar, set by hand, gives the first or the last moment.
    """
    return EPOCH + timedelta(milliseconds=min(max(milliseconds, 0), LAST_MOMENT))


def milliseconds(when: datetime) -> int:
    """An aware datetime in ms since 1970 UTC, as the queue's columns hold it."""
    return (when - EPOCH) // timedelta(milliseconds=1)


def latest_milliseconds(when: datetime) -> int:
    """What `moment` gives as the queue's columns hold it; of an hour that a naive clock shows twice, the second."""
    if is_aware(when):
        return milliseconds(when)
    zone = get_default_timezone()
    return max(milliseconds(when.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
