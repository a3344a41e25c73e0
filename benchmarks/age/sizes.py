"""How many bytes an event takes in the log: in the table, and in its indexes."""

from __future__ import annotations

from django.db import connections

from benchmarks.age.databases import Log
from django_vt.models import SendLogEntry

TABLE = SendLogEntry._meta.db_table
STATEMENTS = {
    "postgresql": f"SELECT pg_table_size('{TABLE}'), pg_indexes_size('{TABLE}')",
    "mariadb": "SELECT data_length, index_length FROM information_schema.tables "
    f"WHERE table_schema = DATABASE() AND table_name = '{TABLE}'",
    "sqlite": f"SELECT SUM(CASE name WHEN '{TABLE}' THEN pgsize ELSE 0 END), "
    f"SUM(CASE name WHEN '{TABLE}' THEN 0 ELSE pgsize END) FROM dbstat WHERE name = '{TABLE}' "
    f"OR name IN (SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = '{TABLE}')",
}


def report(log: Log) -> str:
    """As it was filled."""
    name = connections[log.alias].display_name
    with connections[log.alias].cursor() as cursor:
        cursor.execute(STATEMENTS[log.vendor])
        table, indexes = (int(size) / log.entries for size in cursor.fetchone())
    lines = [
        f"### Bytes an event: {name}, {log.entries:,} entries",
        "",
        "Orders with three items, logins and smaller events. The indexes are as compact as the database makes them in",
        "one go; where they grow event by event, they take more.",
        "",
        "| table | indexes | together |",
        "|---:|---:|---:|",
        f"| {table:,.0f} | {indexes:,.0f} | {table + indexes:,.0f} |",
    ]
    return "\n".join([*lines, ""])
