"""The databases of a run: a file for SQLite, and on PostgreSQL, where it answers, one that is dropped afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import psycopg
from django.core.management import call_command
from django.db import connections

SERVER = os.environ.get("POSTGRESQL_SERVER", "postgres://postgres@127.0.0.1:5432")
NAME = f"django_vt_bench_{os.getpid()}"


@contextmanager
def prepared(directory: Path) -> Iterator[None]:
    """Django, set up on fresh databases."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    os.environ["BENCH_SQLITE"] = f"sqlite:///{directory}/bench.sqlite3"
    os.environ["BENCH_POSTGRESQL"] = f"{SERVER}/{NAME}"
    _on_server(f"CREATE DATABASE {NAME}")
    try:
        django.setup()
        for alias in connections:
            _migrate(alias)
        yield
    finally:
        connections.close_all()
        _on_server(f"DROP DATABASE {NAME}")


def _migrate(alias: str) -> None:
    call_command("migrate", database=alias, verbosity=0)
    with connections[alias].cursor() as cursor:
        cursor.execute("CREATE TABLE bench_order (total integer)")


def _on_server(statement: str) -> None:
    address = SERVER.replace("postgres://", "postgresql://")
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(statement.encode())
