"""What a server does to a connection before, beside and instead of its answer."""

from __future__ import annotations

import socket

import pytest
from urllib3.connection import HTTPConnection

from django_vt.backends.http import _deadline
from django_vt.backends.http._deadline import Deadline, DeadlineAdapter, Watchdog
from django_vt.exceptions import DeliveryError
from django_vt.protocol.outcome import Reply
from tests.support.delivering import configure
from tests.support.misbehaviour import EARLY_HINTS, Bytes, EarlyHints, HangUp, ResetAfterReading
from tests.unit.backends.requests_to import login

pytestmark = pytest.mark.any_database

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
ENDS = pytest.mark.parametrize("end", [HangUp(), ResetAfterReading()], ids=["closed", "reset"])


@pytest.fixture
def vendor(vendor, settings):
    """The stand-in, with more time than anything here takes."""
    configure(settings, TIMEOUT=(5, 5))
    return vendor


@pytest.mark.parametrize(
    "before", [EARLY_HINTS, EARLY_HINTS * 3, CONTINUE + EARLY_HINTS, EARLY_HINTS + CONTINUE], ids=range(4)
)
def test_an_interim_answer_is_none(vendor, backend, before):
    vendor.misbehave(Bytes(before + OK, ends=False), times=1)
    vendor.misbehave(Bytes(before + OK.replace(b"200", b"503"), ends=False))
    assert backend.send(login()) == Reply(200)
    assert backend.send(login()) == Reply(503)
    assert vendor.connections == 1


def test_a_server_that_only_hints_is_timed_out(vendor, backend, settings):
    configure(settings, TIMEOUT=(0.1, 0.2))
    vendor.misbehave(Bytes(EARLY_HINTS, ends=False))
    with pytest.raises(DeliveryError, match="timed out"):
        backend.send(login())


@ENDS
def test_a_kept_connection_that_the_server_has_ended_costs_nothing(vendor, backend, end):
    assert backend.send(login()) == Reply(200)
    vendor.misbehave(end, times=1)
    assert backend.send(login()) == Reply(200)
    assert (len(vendor.requests), vendor.connections) == (3, 2)


@ENDS
def test_a_request_is_repeated_only_once(vendor, backend, end):
    backend.send(login())
    vendor.misbehave(end)
    with pytest.raises(DeliveryError, match="broken connection"):
        backend.send(login())
    assert (len(vendor.requests), vendor.connections) == (3, 2)


@ENDS
def test_a_fresh_connection_that_breaks_is_no_reason_to_repeat(vendor, backend, end):
    vendor.misbehave(end)
    with pytest.raises(DeliveryError, match="broken connection"):
        backend.send(login())
    assert len(vendor.requests) == 1


def test_a_kept_connection_that_breaks_after_an_interim_answer_is_no_reason_either(vendor, backend):
    backend.send(login())
    vendor.misbehave(Bytes(EARLY_HINTS))
    with pytest.raises(DeliveryError, match="broken connection"):
        backend.send(login())
    assert len(vendor.requests) == 2


def test_a_status_that_came_before_a_kept_connection_broke_counts(vendor, backend):
    backend.send(login())
    vendor.misbehave(Bytes(b"HTTP/1.1 200 OK\r\nContent-"))
    assert backend.send(login()) == Reply(200)
    assert len(vendor.requests) == 2


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
    # Asked of Python first: where it has no sockets, urllib3's connections are others.
    socket.socket().close()
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


def test_a_host_of_many_dead_addresses_takes_no_longer_than_the_deadline(backend, settings, addresses, dead):
    addresses += [f"127.9.0.{number}" for number in range(1, 11)]
    configure(settings, ENDPOINT="http://localhost:9/event", TIMEOUT=(3.05, 10))
    with pytest.raises(DeliveryError):
        backend.send(login())
    assert sum(dead) <= 13.05 + 0.01
    assert dead[:4] == [3.05, 3.05, 3.05, 3.05]


def test_an_address_behind_dead_ones_is_reached(vendor, backend, settings, addresses, dead):
    addresses += ["127.9.0.1", "127.9.0.2", "127.0.0.1"]
    configure(settings, ENDPOINT=vendor.endpoint.replace("127.0.0.1", "localhost"), TIMEOUT=(3.05, 10))
    assert backend.send(login()) == Reply(200)
    assert vendor.requests[0].headers["host"] == f"localhost:{vendor.port}"


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


def test_without_a_deadline_connections_are_made_as_urllib3_makes_them(vendor):
    import requests

    vendor.misbehave(EarlyHints())
    with requests.Session() as session:
        session.mount("http://", DeadlineAdapter())
        assert session.get(vendor.endpoint, timeout=5).status_code == 404
    assert _deadline._current.get() is None
