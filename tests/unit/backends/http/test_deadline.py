from __future__ import annotations

import socket
import threading
import time

import pytest
from urllib3.connection import HTTPConnection
from urllib3.util.ssltransport import SSLTransport

from django_vt.backends.http import _deadline as deadlines
from django_vt.backends.http._deadline import Deadline, DeadlineAdapter, Watchdog
from django_vt.exceptions import DeliveryError
from django_vt.protocol.outcome import Reply
from django_vt.testing import FakeVendor, Hang
from tests.support.delivering import configure
from tests.support.misbehaviour import DripBody, DripHead
from tests.support.tls import certificate, handshake
from tests.unit.backends.requests_to import login

pytestmark = pytest.mark.any_database

DEADLINE = 0.5  # of the fixture `vendor`: 0.2 s and 0.3 s
PATIENCE = 3.0  # for a machine that has other things to do


class Stopwatch:
    def __enter__(self) -> Stopwatch:
        self.began = time.monotonic()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = time.monotonic() - self.began


@pytest.fixture(params=["http", "https"])
def slow_vendor(request, vendor, settings, monkeypatch, tmp_path):
    """The stand-in, over TLS as well."""
    if request.param == "http":
        yield vendor
        return
    server, authority = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    with FakeVendor(tls=server) as over_tls:
        configure(settings, ENDPOINT=over_tls.endpoint, TRUST_ENV=True)
        yield over_tls


@pytest.mark.parametrize("used_before", [False, True])
@pytest.mark.parametrize("misbehaviour", [Hang(), DripHead(interval=0.02)])
def test_without_a_whole_head_in_time_it_is_timed_out(slow_vendor, backend, misbehaviour, used_before):
    if used_before:
        backend.send(login())
    slow_vendor.misbehave(misbehaviour)
    with Stopwatch() as watch, pytest.raises(DeliveryError, match="timed out"):
        backend.send(login())
    assert watch.seconds < DEADLINE + PATIENCE
    assert len(slow_vendor.requests) == 1 + used_before


@pytest.mark.parametrize("used_before", [False, True])
def test_a_body_that_drips_ends_with_the_deadline_and_counts_as_answered(slow_vendor, backend, used_before):
    if used_before:
        backend.send(login())
    slow_vendor.misbehave(DripBody(interval=0.02), times=1)
    with Stopwatch() as watch:
        assert backend.send(login()) == Reply(200)
    assert watch.seconds < DEADLINE + PATIENCE
    # What was cut off is not used again.
    assert backend.send(login()) == Reply(200)
    assert slow_vendor.connections == 2


def test_no_read_waits_longer_than_its_part_of_the_deadline(vendor, backend, settings):
    configure(settings, TIMEOUT=(30, 0.1))
    vendor.misbehave(Hang())
    with Stopwatch() as watch, pytest.raises(DeliveryError, match="timed out"):
        backend.send(login())
    assert watch.seconds < 5


def test_a_handshake_that_drips_ends_with_the_deadline(backend, settings):
    head_of_a_long_record = b"\x16\x03\x03\x40\x00"  # it would be 16 kB
    with handshake(head_of_a_long_record, drips=True) as endpoint:
        configure(settings, ENDPOINT=endpoint, TIMEOUT=(0.3, 0.2))
        with Stopwatch() as watch, pytest.raises(DeliveryError, match="timed out"):
            backend.send(login())
    assert watch.seconds < DEADLINE + PATIENCE


def test_time_that_passes_while_it_connects_counts(vendor, backend, settings, monkeypatch):
    """The watchdog has no socket to shut yet: whoever has connected looks for himself."""
    passed = threading.Event()
    honest, let_pass = HTTPConnection._new_conn, Deadline._pass

    def connect_slowly(self):
        sock = honest(self)
        assert passed.wait(5)
        return sock

    def note(self):
        let_pass(self)
        passed.set()

    monkeypatch.setattr(HTTPConnection, "_new_conn", connect_slowly)
    monkeypatch.setattr(Deadline, "_pass", note)
    with pytest.raises(DeliveryError, match="timed out"):
        backend.send(login())
    assert vendor.requests == []


@pytest.fixture
def watchdog():
    watchdog = Watchdog()
    yield watchdog
    watchdog.close()


def test_a_watchdog_that_comes_late_leaves_the_next_request_alone(watchdog):
    left, right = socket.socketpair()
    with left, right:
        connection = HTTPConnection("localhost")
        connection.sock = left
        with Deadline(watchdog, 60) as deadline:
            deadline.watch(connection)
        deadline._pass()
        left.sendall(b"still open")
        assert right.recv(100) == b"still open"


def test_tls_within_tls_is_shut_too(watchdog):
    """Through a proxy that is reached by TLS itself, urllib3 has an object that is no socket."""
    left, right = socket.socketpair()
    with left, right:
        connection = HTTPConnection("localhost")
        connection.sock = SSLTransport.__new__(SSLTransport)
        connection.sock.socket = left
        with Deadline(watchdog, 60) as deadline:
            deadline.watch(connection)
            deadline._pass()
        assert right.recv(100) == b""


def test_a_connection_that_is_gone_already_is_no_trouble(watchdog):
    left, right = socket.socketpair()
    with right, Deadline(watchdog, 60) as deadline:
        connection = HTTPConnection("localhost")
        connection.sock = left
        deadline.watch(connection)
        left.close()
        deadline._pass()
        with pytest.raises(TimeoutError):
            deadline.check()


def test_connections_without_a_deadline_work_as_ever(vendor):
    adapter = DeadlineAdapter()
    pool = adapter.poolmanager.connection_from_url(vendor.endpoint)
    assert deadlines._current.get() is None
    assert pool.request("GET", "/event/acc123/login").status == 400
    adapter.close()
