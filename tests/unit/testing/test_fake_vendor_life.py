"""How the stand-in starts, refuses, stops, and speaks TLS."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
import time
import weakref
from itertools import count

import pytest
import requests

from django_vt.testing import Answer, FakeVendor, Hang
from tests.support import tls
from tests.support.misbehaviour import DripBody
from tests.support.raw_client import LOGIN, ask, connected, read_all, read_answer, request_bytes, target

pytestmark = [pytest.mark.once, pytest.mark.any_database]


def vendor_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "fake-vendor"]


def test_a_vendor_that_refuses_keeps_its_port_and_can_accept_again(vendor):
    port = vendor.port
    vendor.refuse()
    with pytest.raises(ConnectionRefusedError):
        ask(vendor, LOGIN)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    vendor.accept()
    assert (ask(vendor, LOGIN), vendor.port) == (200, port)


def test_connections_are_counted_from_the_start(vendor):
    for number in range(1, 3):
        ask(vendor, LOGIN)
        assert vendor.connections == number
        vendor.refuse()
        assert vendor.connections == number
        vendor.accept()


def test_refusing_ends_the_open_connections(vendor):
    with connected(vendor) as client:
        client.sendall(request_bytes(target(LOGIN)))
        read_answer(client)
        vendor.refuse()
        assert client.recv(1) == b""


def test_refusing_and_accepting_twice_is_as_once(vendor):
    vendor.accept()
    vendor.refuse()
    vendor.refuse()
    vendor.accept()
    assert ask(vendor, LOGIN) == 200


def test_stopping_is_quick_and_clean_whatever_hangs(vendor):
    vendor.misbehave(Hang(), times=1)
    vendor.misbehave(DripBody(interval=60), times=1)
    vendor.misbehave(Answer(delay=60), times=1)
    idle = [socket.create_connection(("127.0.0.1", vendor.port), timeout=5) for _ in range(3)]
    busy = [socket.create_connection(("127.0.0.1", vendor.port), timeout=5) for _ in range(3)]
    for number, client in zip(count(1), busy, strict=False):
        client.sendall(request_bytes(target(LOGIN)))
        vendor.wait_for(lambda vendor, number=number: len(vendor.requests) == number)
    assert len(vendor_threads()) == 1 + len(idle) + len(busy)
    started = time.monotonic()
    vendor.stop()
    assert time.monotonic() - started < 2
    assert vendor_threads() == []
    for client in idle + busy:
        read_all(client)
        client.close()
    assert len(vendor.requests) == 3


def test_a_request_that_was_shown_is_answered_though_the_vendor_is_stopped_at_once():
    """Otherwise somebody who has seen it would find it as unsent in the send log."""
    stops = []

    def stop(_request):
        stops.append(threading.Thread(target=vendor.stop))
        stops[0].start()
        stops[0].join(0.1)  # it waits for this thread in turn

    with FakeVendor(on_request=stop) as vendor, connected(vendor) as client:
        client.sendall(request_bytes(target(LOGIN)))
        assert read_answer(client)[0] == 200
        stops[0].join(5)
    assert vendor_threads() == []


def test_stopping_while_refusing_is_clean_too(vendor):
    port = vendor.port
    vendor.refuse()
    vendor.stop()
    vendor.stop()
    assert vendor_threads() == []
    with FakeVendor(port=port) as other:
        assert ask(other, LOGIN) == 200


def test_a_client_that_was_served_leaves_nothing_behind(vendor):
    ask(vendor, LOGIN)
    with connected(vendor) as client:
        client.sendall(request_bytes(target(LOGIN), "GET", "Connection: close"))
        read_all(client)
    vendor.refuse()
    assert vendor_threads() == []


def test_a_connection_that_has_ended_is_forgotten_with_the_next_one(vendor):
    before = set(vendor_threads())
    with connected(vendor) as client:
        client.sendall(request_bytes(target(LOGIN)))
        read_answer(client)
        [serving] = set(vendor_threads()) - before
    serving.join(5)
    ended = weakref.ref(serving)
    del serving
    ask(vendor, LOGIN)
    gc.collect()
    assert ended() is None


def test_a_port_can_be_asked_for_and_only_once():
    with FakeVendor() as first:
        port = first.port
        with pytest.raises(OSError, match="in use"):
            FakeVendor(port=port).start()
    with FakeVendor(port=port) as second:
        assert second.endpoint == f"http://127.0.0.1:{port}/event"
        assert ask(second, LOGIN) == 200


def test_a_stopped_vendor_has_no_address_and_can_start_again():
    vendor = FakeVendor()
    with pytest.raises(RuntimeError, match="isn't started"):
        _ = vendor.endpoint
    with vendor, pytest.raises(RuntimeError, match="started already"):
        vendor.start()
    with vendor:
        assert ask(vendor, LOGIN) == 200


def test_no_name_server_is_asked(monkeypatch):
    def look_up(*arguments: object) -> None:
        raise AssertionError("asked for a name")

    for name in ("getfqdn", "gethostbyaddr", "gethostname"):
        monkeypatch.setattr(socket, name, look_up)
    with FakeVendor() as vendor:
        assert ask(vendor, LOGIN) == 200


# TLS


@pytest.fixture
def certificate(tmp_path):
    return tls.certificate(tmp_path, "127.0.0.1")


@pytest.fixture
def secure_vendor(certificate):
    with FakeVendor(tls=certificate.server) as vendor:
        yield vendor


@pytest.fixture
def trusting(secure_vendor, certificate):
    """A connection that trusts the vendor's authority."""
    context = ssl.create_default_context(cafile=certificate.authority)
    with connected(secure_vendor) as client, context.wrap_socket(client, server_hostname="127.0.0.1") as secured:
        yield secured


def test_with_a_certificate_it_speaks_https(secure_vendor, trusting):
    assert secure_vendor.endpoint == f"https://127.0.0.1:{secure_vendor.port}/event"
    for _ in range(2):
        trusting.sendall(request_bytes(target(LOGIN)))
        assert read_answer(trusting)[0] == 200
    assert secure_vendor.events == [LOGIN, LOGIN]


def test_a_client_that_does_not_trust_the_certificate_sends_nothing(secure_vendor):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(secure_vendor.endpoint + "/acc123/login")
    assert secure_vendor.requests == []


def test_a_hung_tls_connection_stops_as_quickly(secure_vendor, trusting):
    secure_vendor.misbehave(Hang())
    trusting.sendall(request_bytes(target(LOGIN)))
    secure_vendor.wait_for(lambda vendor: vendor.requests)
    secure_vendor.stop()
    assert vendor_threads() == []


def test_a_client_that_never_shakes_hands_does_not_hold_up_the_stop(secure_vendor):
    with connected(secure_vendor):
        secure_vendor.stop()
    assert vendor_threads() == []


def test_a_client_that_never_shakes_hands_does_not_hold_up_others(secure_vendor, certificate):
    with connected(secure_vendor):
        answer = requests.get(secure_vendor.endpoint + "/acc123/login", verify=str(certificate.authority), timeout=5)
    assert answer.status_code == 400
