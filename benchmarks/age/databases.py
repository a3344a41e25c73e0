"""The databases that are compared, side by side; dropped afterwards, however the run ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
import MySQLdb
import psycopg
from django.core.management import call_command
from django.db import connections

from benchmarks.age.turn import Router

POSTGRESQL = os.environ.get("POSTGRESQL_SERVER", "postgres://postgres@127.0.0.1:5432")
MARIADB = os.environ.get("MARIADB_SERVER", "mysql://root@127.0.0.1:3306")


@dataclass(frozen=True)
class Log:
    """A send log: on which database, and how many entries it has; `pending` of them are due."""

    vendor: str
    entries: int
    pending: int = 200

    @property
    def alias(self) -> str:
        """Its name in DATABASES."""
        return f"{self.vendor}_{self.entries}_{self.pending}"

    @property
    def database(self) -> str:
        """Its name on the server: of this run, so that two don't meet."""
        return f"django_vt_age_{os.getpid()}_{self.entries}_{self.pending}"

    def address(self, directory: Path) -> str:
        """Where it is."""
        servers = {"postgresql": POSTGRESQL, "mariadb": MARIADB, "sqlite": f"sqlite:///{directory}"}
        return f"{servers[self.vendor]}/{self.database}"


@contextmanager
def prepared(logs: list[Log], directory: Path) -> Iterator[None]:
    """Django, set up, with their tables."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.age.settings"
    os.environ["BENCH_DATABASES"] = json.dumps({log.alias: log.address(directory) for log in logs})
    try:
        for log in logs:
            _on_server(log.vendor, f"CREATE DATABASE {log.database}")
        django.setup()
        for log in logs:
            _migrate(log.alias)
        yield
    finally:
        if django.apps.apps.ready:
            connections.close_all()
        for log in logs:
            _on_server(log.vendor, f"DROP DATABASE IF EXISTS {log.database}")


def drop(log: Log) -> None:
    """Before the end: the disk is needed."""
    connections[log.alias].close()
    _on_server(log.vendor, f"DROP DATABASE {log.database}")


def _migrate(alias: str) -> None:
    Router.using = alias
    call_command("migrate", database=alias, verbosity=0)
    with connections[alias].cursor() as cursor:
        cursor.execute("CREATE TABLE bench_order (total integer)")


def _on_server(vendor: str, statement: str) -> None:
    if vendor == "postgresql":
        address = POSTGRESQL.replace("postgres://", "postgresql://")
        with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
            connection.execute(statement.encode())
    if vendor == "mariadb":
        import environ

        server = environ.Env.db_url_config(f"{MARIADB}/")
        login = {"host": server["HOST"], "port": server["PORT"], "user": server["USER"], "password": server["PASSWORD"]}
        connection = MySQLdb.connect(**login)
        connection.cursor().execute(statement)
        connection.close()
