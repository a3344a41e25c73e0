from __future__ import annotations

import json
import socket
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import responses

from django_vt.backends.http import HttpBackend, reason_for
from django_vt.conf import settings as vt
from django_vt.exceptions import DeliveryError
from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import Packing
from django_vt.testing import Answer, FakeVendor
from tests.support.delivering import configure
from tests.support.misbehaviour import (
    Garbage,
    HangUp,
    HugeBody,
    MalformedHeaders,
    ResetAfterReading,
    ResetBeforeReading,
    TruncatedBody,
    redirect,
)
from tests.support.recorded import RECORDED
from tests.unit.backends.requests_to import Entry, login, logins

pytestmark = pytest.mark.any_database

CHUNKS_THAT_ARE_NONE = Answer(headers={"Transfer-Encoding": "chunked"}, body=b"no chunk\r\n")


def reason_of(backend: HttpBackend) -> str:
    with pytest.raises(DeliveryError) as failure:
        backend.send(login())
    assert failure.value.__context__ is None
    assert failure.value.__cause__ is None
    return failure.value.reason


@pytest.mark.parametrize(
    "endpoint",
    ["http://vendor.test/event", "http://192.0.2.1/event", "HTTP://vendor.test/event", "ftp://x", "http://["],
)
def test_nothing_goes_to_another_machine_by_plain_http(backend, settings, endpoint):
    configure(settings, ENDPOINT=endpoint)
    assert reason_of(backend) == "plain http"


# What goes over the wire


@pytest.mark.parametrize("recorded", RECORDED.values(), ids=RECORDED)
def test_the_recorded_requests_arrive_byte_for_byte(vendor, backend, recorded):
    packing = Packing(vt.ENDPOINT, vt.CALLBACK, vt.BATCH_SIZE, vt.MAX_URL_LENGTH)
    [request] = packing.pack([Entry(1, recorded["query"]["data"][1:-1], event_type=recorded["name"])])
    assert backend.send(request) == Reply(200)
    [received] = vendor.requests
    assert (received.method, received.path) == (recorded["method"], recorded["path"])
    assert received.raw_query.rsplit("&ts=", 1)[0] == recorded["raw_query"].rsplit("&ts=", 1)[0]
    assert {"content-length", "transfer-encoding"}.isdisjoint(received.headers)
    assert vendor.violations == []


@pytest.mark.parametrize("text", ["é\u2028 %41%zz", "a+b c~!*'()", "..%2F../?#&=;", '\U0001f600\\"\u0000'])
def test_whatever_an_event_holds_arrives_as_it_was_packed(vendor, backend, text):
    request = login(source=text)
    backend.send(request)
    [received] = vendor.requests
    assert request.url.endswith(f"{received.path}?{received.raw_query}")
    assert received.events[0]["source"] == text


def test_responses_stands_in_for_the_vendor_in_a_shops_tests(settings, backend):
    configure(settings, ENDPOINT="https://app.vtcdn.net/event")
    with responses.RequestsMock() as vendor:
        vendor.get("https://app.vtcdn.net/event/acc123/login", status=503, headers={"Retry-After": "7"})
        assert backend.send(login()) == Reply(503, "7")
        request = vendor.calls[0].request
        assert request.params["callback"] == "vt"
        assert json.loads(request.params["data"])[0]["email"] == "canary@example.com"


def test_an_order_and_a_batch_are_so_many_bytes(vendor, backend):
    payload = RECORDED["confirmation"]["query"]["data"][1:-1]
    packing = Packing("https://app.vtcdn.net/event", "vt", 20, 8000)
    [single] = packing.pack([Entry(1, payload, event_type="confirmation")])
    batches = packing.pack([Entry(pk, payload, event_type="confirmation") for pk in range(20)])
    ts = len(single.url.rsplit("=", 1)[1])
    assert len(single.url) - ts == 433
    assert [len(batch.entry_ids) for batch in batches] == [20]
    assert len(batches[0].url) - len(batches[0].url.rsplit("=", 1)[1]) == 7292


# Connections


def test_the_connection_is_used_again(vendor, backend):
    for number in range(5):
        backend.send(login(number))
    assert (len(vendor.requests), vendor.connections) == (5, 1)


@pytest.mark.parametrize("status", [204, 302, 400, 503])
def test_answers_of_any_status_leave_the_connection_usable(vendor, backend, status):
    vendor.misbehave(Answer(status, body=b"" if status == 204 else b"no"), times=1)
    assert backend.send(login()).status == status
    assert backend.send(login()).status == 200
    assert vendor.connections == 1


def test_threads_have_a_connection_each_and_close_closes_all(vendor, backend):
    together = threading.Barrier(3)

    def send(number: int) -> Reply:
        together.wait(5)
        return backend.send(login(number))

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(send, range(3))) == [Reply(200)] * 3
        assert len(backend._lines) == vendor.connections == 3
        backend.close()
    assert backend._lines == []


def test_another_endpoint_in_the_settings_holds_for_the_next_request(vendor, backend, settings):
    backend.send(login())
    with FakeVendor() as other:
        configure(settings, ENDPOINT=other.endpoint)
        backend.send(login())
        assert len(other.requests) == len(vendor.requests) == 1


def test_the_vendors_cookies_are_never_sent_back(vendor, backend):
    vendor.misbehave(Answer(headers={"Set-Cookie": "who=canary; Path=/"}))
    backend.send(login())
    backend.send(login())
    assert [request.headers.get("cookie") for request in vendor.requests] == [None, None]


# No second try, nowhere else


@pytest.mark.parametrize(
    ("misbehaviour", "reason", "received"),
    [
        (ResetAfterReading(), "broken connection", 1),
        (ResetBeforeReading(), "broken connection", 0),
        (Garbage(), "broken connection", 1),
        (HangUp(), "broken connection", 1),
    ],
)
def test_a_request_reaches_the_wire_once_and_its_failure_has_a_word(vendor, backend, misbehaviour, reason, received):
    vendor.misbehave(misbehaviour)
    assert reason_of(backend) == reason
    assert (len(vendor.requests), vendor.connections) == (received, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_no_query_goes_elsewhere(vendor, backend, status):
    with FakeVendor() as elsewhere:
        vendor.misbehave(redirect(f"{elsewhere.endpoint}/acc123/login", status=status))
        assert backend.send(login()).status == status
        assert (elsewhere.requests, elsewhere.connections) == ([], 0)


def test_a_vendor_that_is_down_is_unreachable(vendor, backend):
    vendor.refuse()
    assert reason_of(backend) == "unreachable"


def test_a_name_that_does_not_resolve_is_an_unknown_host(backend, settings, monkeypatch):
    def getaddrinfo(*args, **options):
        raise socket.gaierror(-2, "Name or service not known")

    configure(settings, ENDPOINT="http://localhost:9/event")
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert reason_of(backend) == "unknown host"


@pytest.mark.parametrize("trusted", [False, True])
def test_proxies_of_the_environment_count_only_where_told(vendor, backend, settings, monkeypatch, trusted):
    configure(settings, TRUST_ENV=trusted)
    with FakeVendor() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.endpoint.removesuffix("/event"))
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        backend.send(login())
        assert (len(vendor.requests), proxy.connections) == ((0, 1) if trusted else (1, 0))


@pytest.mark.parametrize("trusted", [False, True])
def test_a_netrc_counts_only_where_told(  # noqa: PLR0917
    vendor, backend, settings, monkeypatch, tmp_path, trusted
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login canary password canary\n")
    monkeypatch.setenv("NETRC", str(netrc))
    configure(settings, TRUST_ENV=trusted)
    backend.send(login())
    assert ("authorization" in vendor.requests[0].headers) is trusted


# Bodies


def test_a_huge_body_is_not_read_and_its_connection_not_used_again(vendor, backend):
    vendor.misbehave(HugeBody(), times=1)
    backend.send(login(1, source="to load what a first request loads"))
    vendor.misbehave(HugeBody(), times=1)
    tracemalloc.start()
    try:
        assert backend.send(login()) == Reply(200)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The stand-in lives in this process too: it sends chunks of 64 kB.
    assert peak < 1_000_000
    assert backend.send(login()) == Reply(200)
    assert vendor.connections == 3


@pytest.mark.parametrize(
    "misbehaviour",
    [TruncatedBody(), MalformedHeaders(), Answer(headers={"Transfer-Encoding": "chunked"}, body=b"no chunk\r\n")],
)
def test_the_status_has_come_whatever_happens_to_the_body(vendor, backend, misbehaviour):
    vendor.misbehave(misbehaviour)
    assert backend.send(login()) == Reply(200)


def test_a_body_that_is_cut_off_makes_no_failure_of_a_status(vendor, backend):
    vendor.misbehave(Answer(503, body=b"x" * 100_000, retry_after=9))
    assert backend.send(login()) == Reply(503, "9")


# Words


def test_an_error_of_no_known_kind_is_a_broken_connection():
    assert reason_for(ValueError("canary@example.com")) == "broken connection"


def test_an_error_is_known_by_what_it_wraps():
    error = requests.ConnectionError(OSError(TimeoutError()))
    assert reason_for(error) == "timed out"


def test_many_logins_are_one_request(vendor, backend):
    [request] = logins(*range(20))
    backend.send(request)
    assert len(vendor.events) == 20
