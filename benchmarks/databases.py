"""The databases of a run: a file for SQLite, and one on PostgreSQL and on MariaDB, which are dropped afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connections

from benchmarks.servers import ADDRESSES, on_server

NAME = f"django_vt_bench_{os.getpid()}"


@contextmanager
def prepared(directory: Path) -> Iterator[None]:
    """Django, set up on fresh databases."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    os.environ["BENCH_SQLITE"] = f"sqlite:///{directory}/bench.sqlite3"
    for vendor, address in ADDRESSES.items():
        os.environ[f"BENCH_{vendor.upper()}"] = f"{address}/{NAME}"
    try:
        for vendor in ADDRESSES:
            on_server(vendor, f"CREATE DATABASE {NAME}")
        django.setup()
        for alias in connections:
            migrate(alias)
        yield
    finally:
        if django.apps.apps.ready:
            connections.close_all()
        for vendor in ADDRESSES:
            on_server(vendor, f"DROP DATABASE IF EXISTS {NAME}")


def migrate(alias: str) -> None:
    """The tables of a database, and one for the shop's orders."""
    call_command("migrate", database=alias, verbosity=0)
    with connections[alias].cursor() as cursor:
        cursor.execute("CREATE TABLE bench_order (total integer)")
