"""What every test gets: no way off this machine, an empty outbox, a database that threads share, a clock."""

from __future__ import annotations

import datetime
import logging
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from django_vt.backends import locmem
from django_vt.delivery import clock as delivery_clock
from django_vt.models.functions import milliseconds
from tests.support.delivering import script  # noqa: F401 - a fixture
from tests.support.network_guard import loopback_only
from tests.support.other_databases import empty_database, other_database  # noqa: F401 - fixtures

# A set's order depends on the hash seed, an address on the process.
CHANGING_ID = re.compile(r" at 0x|\{'[^':]*'(?:, '[^':]*')+\}")


def pytest_configure(config: pytest.Config) -> None:
    """Once the settings have read it: another project that a test starts must not take our database for its own.

    With xdist, this process may run no test: its workers begin with its environment, and would all test on SQLite.
    """
    assert django_settings.configured
    if hasattr(config, "workerinput") or getattr(config.option, "dist", "no") == "no":
        os.environ.pop("DATABASE_URL", None)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The processes of a run must find the same tests: no id may change from one to the next.

    What is not measured comes last: a process does some things once, such as an import.
    """
    if changing := [item.nodeid for item in items if CHANGING_ID.search(item.nodeid)]:
        raise pytest.UsageError(f"the ids of these tests are not the same in every process: {', '.join(changing)}")
    items.sort(key=_is_unmeasured)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """What bears `unmeasured` runs without coverage, in less than two thirds of the time."""
    coverage = sys.modules.get("coverage")
    measuring = coverage and coverage.Coverage.current()
    if not (measuring and _is_unmeasured(item)):
        return (yield)
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()


def _is_unmeasured(item: pytest.Item) -> bool:
    return item.get_closest_marker("unmeasured") is not None


class Clock:
    """The time that `timezone.now()`, the database and a worker's clock tell while the fixture `clock` is in use."""

    def __init__(self, now: datetime.datetime) -> None:
        self.now = now

    @property
    def ms(self) -> int:
        """The time as the queue's columns hold it."""
        return milliseconds(self.now)

    def advance(self, seconds: float) -> datetime.datetime:
        """Lets so many seconds pass; gives the new time."""
        self.now += datetime.timedelta(seconds=seconds)
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stops the time at noon of some day; set `clock.now` or call `clock.advance(seconds)`."""
    stopped = Clock(datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc))
    monkeypatch.setattr(timezone, "now", lambda: stopped.now)
    monkeypatch.setattr(delivery_clock, "read_milliseconds", lambda using: stopped.ms)
    monkeypatch.setattr(delivery_clock, "elapsed", lambda: stopped.ms / 1000)
    return stopped


@pytest.fixture(scope="session", autouse=True)
def _whole_session_on_loopback() -> Iterator[list[str]]:
    with loopback_only() as tried:
        yield tried


@pytest.fixture(scope="session", autouse=True)
def _asyncio_logs_errors_only() -> None:
    """In Python's dev mode it also logs whatever takes 0.1 s, which on a busy machine may be anything."""
    logging.getLogger("asyncio").setLevel(logging.ERROR)


@pytest.fixture(autouse=True)
def foreign_network(_whole_session_on_loopback: list[str]) -> Iterator[list[str]]:
    """What the test, or a thread of it, has tried to reach beyond this machine: fails it, if anything."""
    tried = _whole_session_on_loopback
    tried.clear()
    yield tried
    assert not tried, f"reached for another machine: {', '.join(tried)}"


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A shell's background job ignores SIGINT, and so would this process and all that it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _empty_locmem_outbox() -> None:
    locmem.outbox.clear()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite's test database becomes a file: one in memory locks whole tables and is no other process's."""
    database = django_settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "tests.sqlite3")


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """The environment for a process of the test's own that is to work on the test's database."""
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }


def database_url() -> str:
    """The test database in the form that tests/settings.py reads."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    scheme = {"postgresql": "postgres", "mysql": "mysql"}[connection.vendor]
    login = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    return f"{scheme}://{login}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
