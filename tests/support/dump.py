"""All that the database holds, as text."""

from __future__ import annotations

from django.contrib.sessions.models import Session
from django.db import connection


def dump() -> str:
    """Every column of every row of every table; sessions, which are encoded there, in plain text too."""
    with connection.cursor() as cursor:
        tables = {table: _rows(cursor, table) for table in connection.introspection.table_names(cursor)}
    sessions = [session.get_decoded() for session in Session.objects.all()]
    return "\n".join(f"{table}: {row!r}" for table, rows in tables.items() for row in rows) + f"\n{sessions!r}"


def _rows(cursor, table):
    cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
    return cursor.fetchall()
