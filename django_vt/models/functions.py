"""Queries that read no more of a send log of millions than is shown or counted, wherever in it that lies.

If a database is asked for the newest fifty entries of some kind, it often walks through all entries from the newest
on: it expects to meet fifty of them soon. If these are all old, it has then read the whole table. An index that holds
the condition, the order and the id answers alone. So ids are asked for first, and rows by their ids.
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
# Milliseconds. A statement may wait for a lock after its time was read. Meanwhile another worker takes a lease that
# ends later than any that was possible at that time: a lock's wait is the cause, and no wrong clock.
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
    """The ids of the first, up to the limit or `most`; an index must hold what they are filtered and ordered by."""
    return list(entries.order_by(*by).values_list("pk", flat=True)[: LIMIT if most is None else most])


def fetched(entries: models.QuerySet[SendLogEntry]) -> models.QuerySet[SendLogEntry]:
    """The same rows in the same order, found by their ids; `entries` are ordered, and sliced or few."""
    ids = list(entries.values_list("pk", flat=True))
    rows: models.QuerySet[SendLogEntry] = entries.model.objects.using(entries.db)
    return rows.filter(pk__in=ids).order_by(*entries.query.order_by) if ids else rows.none()


def sorted_apart(entries: models.QuerySet[SendLogEntry]) -> models.QuerySet[SendLogEntry]:
    """Entries chosen by id, in the order of time that they are in, and no index walked for it."""
    when = unindexed("created_at")
    if entries.query.order_by[:1] == OLDEST_FIRST[:1]:
        return entries.order_by(when.asc(), "pk")
    return entries.order_by(when.desc(), "-pk")


def beginning_with(text: str, using: str) -> Q:
    """Whose reference begins so: in the form that the database has an index for."""
    return _BEGINNINGS.get(connections[using].vendor, _between)(text)


def _between(text: str) -> Q:
    # SQLite's LIKE knows no case, and so no index; what it compares are bytes.
    return Q(reference__gte=text, reference__lt=f"{text}{chr(sys.maxunicode)}")


_BEGINNINGS: dict[str, Callable[[str], Q]] = {
    "postgresql": lambda text: Q(reference__startswith=text),
    # Without regard to case, as the column's collation has it: with regard to it no index would serve.
    "mysql": lambda text: Q(reference__istartswith=text),
}


class ByCharacters(OrderBy):
    """In the order of the characters' codes, in which PostgreSQL's index of references is."""

    # Django's compiler looks for the word ASC, which cannot stand beside USING.
    as_postgresql = partialmethod(OrderBy.as_sql, template="%(expression)s USING ~<~ /* ASC */")


def unindexed(column: str) -> Greatest:
    """Hide a column from the planner, so that other conditions choose the index: `GREATEST(c, c) = c`."""
    return Greatest(column, column)


EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Some centuries before Python's last year, which in some time zones is over sooner.
LAST_MOMENT = (datetime(9000, 1, 1, tzinfo=timezone.utc) - EPOCH) // timedelta(milliseconds=1)


def moment(milliseconds: int) -> datetime:
    """A time of the database's clock (ms since 1970 UTC) for people: comparable with Django's `timezone.now()`.

    Aware, in UTC, where USE_TZ is True; otherwise naive, in the project's time zone.
    """
    aware = utc(milliseconds)
    # Not in the zone that is active, which may be a visitor's: `now()` knows the project's alone.
    return aware if django_settings.USE_TZ else make_naive(aware, get_default_timezone())


def utc(milliseconds: int) -> datetime:
    """A time of the database's clock (ms since 1970 UTC), aware, whatever the project's settings.

    What no calendar holds, as somebody has changed the row by hand, is the first or the last moment.
    """
    return EPOCH + timedelta(milliseconds=min(max(milliseconds, 0), LAST_MOMENT))


def milliseconds(when: datetime) -> int:
    """An aware datetime as the queue's columns hold it: ms since 1970 UTC."""
    return (when - EPOCH) // timedelta(milliseconds=1)


def latest_milliseconds(when: datetime) -> int:
    """What `moment` gives as the queue's columns hold it; of an hour that a naive clock shows twice, the second."""
    if is_aware(when):
        return milliseconds(when)
    zone = get_default_timezone()
    return max(milliseconds(when.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
