"""The databases that are compared, side by side; dropped afterwards, however the run ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
from django.db import connections

from benchmarks.age.turn import Router
from benchmarks.databases import migrate
from benchmarks.servers import ADDRESSES, on_server


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
        servers = {**ADDRESSES, "sqlite": f"sqlite:///{directory}"}
        return f"{servers[self.vendor]}/{self.database}"


@contextmanager
def prepared(logs: list[Log], directory: Path) -> Iterator[None]:
    """Django, set up, with their tables."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.age.settings"
    os.environ["BENCH_DATABASES"] = json.dumps({log.alias: log.address(directory) for log in logs})
    try:
        for log in logs:
            on_server(log.vendor, f"CREATE DATABASE {log.database}")
        django.setup()
        for log in logs:
            _migrate(log.alias)
        yield
    finally:
        if django.apps.apps.ready:
            connections.close_all()
        for log in logs:
            on_server(log.vendor, f"DROP DATABASE IF EXISTS {log.database}")


def drop(log: Log) -> None:
    """Before the end: the disk is needed."""
    connections[log.alias].close()
    on_server(log.vendor, f"DROP DATABASE {log.database}")


def _migrate(alias: str) -> None:
    Router.using = alias
    migrate(alias)
