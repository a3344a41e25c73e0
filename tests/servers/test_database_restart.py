"""`send_pending --forever` while its database is restarted, as seen from its side of the connection."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.servers.conftest import PATIENCE
from tests.support import processes

pytestmark = [pytest.mark.process, pytest.mark.server, pytest.mark.newest]

SERVERS = {
    "postgresql": os.environ.get("POSTGRESQL_SERVER", "postgres://postgres@127.0.0.1:5432"),
    "mariadb": os.environ.get("MARIADB_SERVER", "mysql://root@127.0.0.1:3306"),
}
ON_SERVER = """
from django.core.management import call_command
from django.db import connection
with connection._nodb_cursor() as cursor:
    cursor.execute("{} DATABASE " + connection.settings_dict["NAME"])
"""
AWAY = "The send log cannot be read, trying again: OperationalError"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets the connection


class Door:
    """Lets connections through to a server, until it is shut: then they are reset, and new ones are refused."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._through: list[socket.socket] = []
        self.port = 0
        self.open()

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._let_in, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        # The first wakes the thread that waits for connections.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        while self._through:
            side = self._through.pop()
            side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()

    def _let_in(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                inside, _address = listener.accept()
                outside = socket.create_connection(self._server)
                self._through += [inside, outside]
                for source, target in ((inside, outside), (outside, inside)):
                    threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture(params=sorted(SERVERS))
def on_database(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The environment for processes on a database of the test's own, with the tables."""
    url = f"{SERVERS[request.param]}/django_vt_{uuid.uuid4().hex}"
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    processes.run(ON_SERVER.format("CREATE") + "call_command('migrate', run_syncdb=True, verbosity=0)", environment)
    yield environment
    processes.run(ON_SERVER.format("DROP"), environment)


@pytest.fixture
def door(on_database: dict[str, str]) -> Iterator[Door]:
    """The way to the database's server."""
    url = urlsplit(on_database["DATABASE_URL"])
    assert url.hostname is not None
    assert url.port is not None
    door = Door((url.hostname, url.port))
    yield door
    door.shut()


def place_order(number: str, environment: dict[str, str]) -> None:
    """By a process of the shop, which has its own way to the database."""
    manual = "django_vt.dispatchers.manual.ManualDispatcher"
    # For the worker's account: it leaves what was recorded for another.
    processes.run(f'order("{number}")', environment, ACCOUNT_ID="chaos", DISPATCHER=manual)


def test_a_worker_survives_a_restart_of_the_database_and_says_so(on_database, door, start, fake_vendor):
    through_the_door = urlsplit(on_database["DATABASE_URL"])
    login = through_the_door.netloc.rpartition("@")[0]
    worker = start(
        *("-m", "django", "send_pending", "--forever"),
        DATABASE_URL=through_the_door._replace(netloc=f"{login}@127.0.0.1:{door.port}").geturl(),
        DJANGO_SETTINGS_MODULE="tests.chaos.settings",  # there workers without work look again after a second
        VT_ENDPOINT=fake_vendor.endpoint,
    )
    place_order("1", on_database)
    fake_vendor.wait_for(1, timeout=PATIENCE)

    door.shut()
    worker.wait_until(lambda said: AWAY in said)
    place_order("2", on_database)
    assert len(fake_vendor.events) == 1
    door.open()

    fake_vendor.wait_for(2, timeout=PATIENCE)
    assert [event["productId"] for event in fake_vendor.events] == ["1", "2"]
    assert worker.end() == 0
    assert worker.said.count(AWAY) == 1
