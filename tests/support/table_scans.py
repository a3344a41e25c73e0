"""How the database would read the send log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction

TABLE = "django_vt_sendlogentry"


def scans(sql: str) -> list[str]:
    """The steps of a query that read the whole table, which no index serves; as the test's database plans it."""
    return {"sqlite": _on_sqlite, "postgresql": _on_postgresql, "mysql": _on_mariadb}[connection.vendor](sql)


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("%", "%%") if connection.vendor == "mysql" else sql)
        return list(cursor.fetchall())


def _on_sqlite(sql: str) -> list[str]:
    steps = [row[3] for row in _rows(f"EXPLAIN QUERY PLAN {sql}")]
    return [step for step in steps if step.startswith(f"SCAN {TABLE}") and "INDEX" not in step]


def _on_postgresql(sql: str) -> list[str]:
    """Of few rows it would always read all: what it does when it would rather not tells whether it had to."""
    with transaction.atomic():
        _rows_of_none("SET LOCAL enable_seqscan = off")
        return [row[0] for row in _rows(f"EXPLAIN {sql}") if f"Seq Scan on {TABLE}" in row[0]]


def _rows_of_none(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _on_mariadb(sql: str) -> list[str]:
    """It names the indexes that could serve a condition; of few rows it takes none, and none to order them by."""
    if " WHERE " not in sql:
        return []
    plan = json.loads(_rows(f"EXPLAIN FORMAT=JSON {sql}")[0][0])
    tables = [table for table in _tables(plan) if table.get("table_name") == TABLE]
    return [json.dumps(table) for table in tables if not {"possible_keys", "key"} & table.keys()]


def _tables(plan: Any) -> Iterator[dict[str, Any]]:
    inner = plan.values() if isinstance(plan, dict) else plan if isinstance(plan, list) else ()
    for each in inner:
        yield from _tables(each)
    if isinstance(plan, dict) and "table_name" in plan:
        yield plan
