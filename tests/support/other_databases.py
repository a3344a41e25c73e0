"""Fixtures: a second database, for orders that are not on the default one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections


@pytest.fixture
def empty_database(django_db_setup: None, django_db_blocker: Any, tmp_path: Path) -> Iterator[str]:
    """Another database, without tables. Not beside `db`, under which Django allows only those of the settings."""
    connections.settings["other"] = {
        **connections.settings["default"],
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(tmp_path / "other.sqlite3"),
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
    with django_db_blocker.unblock():
        yield "other"
    connections["other"].close()
    del connections["other"]
    del connections.settings["other"]


@pytest.fixture
def other_database(empty_database: str) -> str:
    """Another database with a send log of its own."""
    call_command("migrate", "django_vt", database=empty_database, verbosity=0)
    return empty_database
