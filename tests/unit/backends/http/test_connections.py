"""What a server does to a connection before, beside and instead of its answer. The server here is the test's own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from urllib3.connection import HTTPConnection

from django_vt.backends.http import _deadline
from django_vt.backends.http._deadline import Deadline, DeadlineAdapter, Watchdog
from django_vt.exceptions import DeliveryError
from django_vt.protocol.outcome import Reply
from tests.support.delivering import configure
from tests.unit.backends.requests_to import login

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE, RESET = None, b"RST"


class Server:
    """Plays a script for each connection: an answer a request, or how it ends the connection instead of one."""

    def __init__(self) -> None:
        self.scripts: list[list[bytes | None]] = []
        self.received: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}/event"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        with socket.create_connection(self._listener.getsockname()):
            self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if not self.scripts:
                    return
                for answer in self.scripts.pop(0):
                    self._play(connection, answer)

    def _play(self, connection: socket.socket, answer: bytes | None) -> None:
        request = b""
        while not request.endswith(b"\r\n\r\n") and (more := connection.recv(65536)):
            request += more
        if request:
            self.received.append(request)
        if answer == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        elif answer is not CLOSE:
            connection.sendall(answer)


@pytest.fixture
def play(settings) -> Iterator[Callable[..., Server]]:
    with Server() as server:

        def prepare(*scripts: list[bytes | None]) -> Server:
            server.scripts = list(scripts)
            configure(settings, ENDPOINT=server.endpoint, TIMEOUT=(5, 5))
            return server

        yield prepare


@pytest.mark.parametrize("before", [HINTS, HINTS * 3, CONTINUE + HINTS, HINTS + CONTINUE])
def test_an_interim_answer_is_none(play, backend, before):
    play([before + OK, before + OK.replace(b"200", b"503")])
    assert backend.send(login()) == Reply(200)
    assert backend.send(login()) == Reply(503)


def test_a_server_that_only_hints_is_timed_out(play, backend, settings):
    server = play([HINTS, CLOSE])
    configure(settings, ENDPOINT=server.endpoint, TIMEOUT=(0.1, 0.2))
    with pytest.raises(DeliveryError, match="timed out"):
        backend.send(login())


@pytest.mark.parametrize("end", [CLOSE, RESET], ids=["closed", "reset"])
def test_a_kept_connection_that_the_server_has_ended_costs_nothing(play, backend, end):
    server = play([OK, end], [OK])
    assert backend.send(login()) == Reply(200)
    assert backend.send(login()) == Reply(200)
    assert len(server.received) == 3


@pytest.mark.parametrize("end", [CLOSE, RESET], ids=["closed", "reset"])
def test_a_request_is_repeated_only_once(play, backend, end):
    server = play([OK, end], [end])
    backend.send(login())
    with pytest.raises(DeliveryError, match="broken connection"):
        backend.send(login())
    assert len(server.received) == 3


@pytest.mark.parametrize("end", [CLOSE, RESET], ids=["closed", "reset"])
def test_a_fresh_connection_that_breaks_is_no_reason_to_repeat(play, backend, end):
    server = play([end])
    with pytest.raises(DeliveryError, match="broken connection"):
        backend.send(login())
    assert len(server.received) == 1


def test_a_kept_connection_that_breaks_after_an_interim_answer_is_no_reason_either(play, backend):
    server = play([OK, HINTS])
    backend.send(login())
    with pytest.raises(DeliveryError, match="broken connection"):
        backend.send(login())
    assert len(server.received) == 2


def test_a_status_that_came_before_a_kept_connection_broke_counts(play, backend):
    server = play([OK, b"HTTP/1.1 200 OK\r\nContent-"])
    backend.send(login())
    assert backend.send(login()) == Reply(200)
    assert len(server.received) == 2


# A host of many addresses


@pytest.fixture
def addresses(monkeypatch) -> list[str]:
    """Those of the host, of which urllib3 gets each the whole time-out."""
    found: list[str] = []
    honest = socket.getaddrinfo

    def look_up(host, port, *args, **options):
        if host != "localhost":
            return honest(host, port, *args, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return found


@pytest.fixture
def dead(monkeypatch) -> list[float]:
    """The seconds that each address in 127.9.0.0/16, none of which answers, was given; they pass at once."""
    given: list[float] = []
    honest, now = HTTPConnection._new_conn, [0.0]

    def connect(self):
        if not self._dns_host.startswith("127.9."):
            return honest(self)
        given.append(self.timeout)
        now[0] += self.timeout
        from urllib3.exceptions import ConnectTimeoutError

        raise ConnectTimeoutError(self, "no answer")

    monkeypatch.setattr(HTTPConnection, "_new_conn", connect)
    monkeypatch.setattr(Deadline, "left", property(lambda self: max(self._seconds - now[0], 0.001)))
    return given


def test_a_host_of_many_dead_addresses_takes_no_longer_than_the_deadline(play, backend, settings, addresses, dead):
    addresses += [f"127.9.0.{number}" for number in range(1, 11)]
    configure(settings, ENDPOINT="http://localhost:9/event", TIMEOUT=(3.05, 10))
    with pytest.raises(DeliveryError):
        backend.send(login())
    assert sum(dead) <= 13.05 + 0.01
    assert dead[:4] == [3.05, 3.05, 3.05, 3.05]


def test_an_address_behind_dead_ones_is_reached(play, backend, settings, addresses, dead):
    server = play([OK])
    addresses += ["127.9.0.1", "127.9.0.2", "127.0.0.1"]
    configure(settings, ENDPOINT=server.endpoint.replace("127.0.0.1", "localhost"), TIMEOUT=(3.05, 10))
    assert backend.send(login()) == Reply(200)
    assert b"Host: localhost" in server.received[0]


def test_addresses_that_all_refuse_are_unreachable(backend, settings, addresses):
    addresses += ["127.0.0.1", "127.0.0.2"]
    configure(settings, ENDPOINT="http://localhost:9/event")
    with pytest.raises(DeliveryError, match="unreachable"):
        backend.send(login())


def test_a_name_without_an_address_is_unknown(backend, settings, monkeypatch):
    def look_up(*args, **options):
        raise socket.gaierror("localhost")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    configure(settings, ENDPOINT="http://localhost:9/event")
    with pytest.raises(DeliveryError, match="unknown host"):
        backend.send(login())


def test_no_further_address_is_tried_after_the_deadline(backend, settings, addresses, dead, monkeypatch):
    addresses += ["127.9.0.1", "127.9.0.2"]
    configure(settings, ENDPOINT="http://localhost:9/event")
    checked = Deadline.check

    def check(self):
        self.passed = bool(dead)
        checked(self)

    monkeypatch.setattr(Deadline, "check", check)
    with pytest.raises(DeliveryError, match="timed out"):
        backend.send(login())
    assert len(dead) == 1


def test_the_deadline_says_what_is_left_of_it():
    assert 0 < Deadline(Watchdog(), 60).left <= 60
    assert Deadline(Watchdog(), -1).left > 0


def test_without_a_deadline_connections_are_made_as_urllib3_makes_them(play):
    import requests

    server = play([HINTS + OK])
    with requests.Session() as session:
        session.mount("http://", DeadlineAdapter())
        assert session.get(server.endpoint, timeout=5).status_code == 200
    assert _deadline._current.get() is None
