from __future__ import annotations

from contextlib import contextmanager

import pytest
import requests

from django_vt.testing import (
    Answer,
    DripBody,
    DripHead,
    Garbage,
    Hang,
    HugeBody,
    MalformedHeaders,
    Misbehaviour,
    Redirect,
    ResetAfterReading,
    ResetBeforeReading,
    TruncatedBody,
)
from tests.unit.testing.raw_client import LOGIN, confirmation, connected, read_all, read_answer, request_bytes, target

USUAL_BODY = b'vt({"status": "ok"})'
IN_VAIN = 0.05
"""Seconds after which a test takes it that nothing comes."""


@contextmanager
def asking(vendor, *events):
    """A connection on which a request was sent."""
    with connected(vendor) as client:
        client.sendall(request_bytes(target(*events or (LOGIN,))))
        yield client


@pytest.fixture
def url(vendor):
    return vendor.endpoint.removesuffix("/event") + target(LOGIN)


def assert_nothing_comes(client) -> None:
    client.settimeout(IN_VAIN)
    with pytest.raises(TimeoutError):
        client.recv(1)


def test_an_answer_has_the_status_headers_and_body_it_was_given(vendor):
    vendor.misbehave(Answer(503, retry_after=120, headers={"X-Reason": "maintenance"}, body=b"later"))
    with asking(vendor) as client:
        status, headers, body = read_answer(client)
        assert (status, headers["retry-after"], headers["x-reason"], body) == (503, "120", "maintenance", b"later")
        client.sendall(request_bytes(target(LOGIN)))
        assert read_answer(client)[0] == 503


def test_retry_after_may_be_a_date(vendor):
    vendor.misbehave(Answer(429, retry_after="Mon, 23 Nov 2026 12:00:00 GMT"))
    with asking(vendor) as client:
        status, headers, body = read_answer(client)
    assert (status, headers["retry-after"], body) == (429, "Mon, 23 Nov 2026 12:00:00 GMT", USUAL_BODY)


def test_a_status_that_nobody_has_named_can_be_answered(vendor, url):
    vendor.misbehave(Answer(599))
    assert requests.get(url).status_code == 599


def test_a_delayed_answer_comes_late(vendor):
    vendor.misbehave(Answer(delay=0.01), times=1)
    vendor.misbehave(Answer(delay=60))
    with asking(vendor) as client:
        assert read_answer(client)[0] == 200
        client.sendall(request_bytes(target(LOGIN)))
        assert_nothing_comes(client)


def test_a_redirect_names_another_place(vendor, url):
    vendor.misbehave(Redirect("http://127.0.0.1:9/elsewhere", status=307))
    answer = requests.get(url, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (307, "http://127.0.0.1:9/elsewhere")


def test_a_hung_request_is_read_and_never_answered(vendor):
    vendor.misbehave(Hang())
    with asking(vendor) as client:
        vendor.wait_for(lambda vendor: vendor.received_events == [LOGIN])
        assert_nothing_comes(client)
        client.settimeout(5)
        vendor.stop()
        assert client.recv(1) == b""


def test_a_hung_connection_ends_when_the_client_gives_up(vendor):
    vendor.misbehave(Hang(), times=1)
    with asking(vendor):
        vendor.wait_for(lambda vendor: vendor.requests)
    with asking(vendor) as client:
        assert read_answer(client)[0] == 200


def test_a_reset_before_reading_leaves_no_trace(vendor):
    vendor.misbehave(ResetBeforeReading())
    with asking(vendor) as client, pytest.raises(ConnectionResetError):
        client.recv(1)
    assert vendor.requests == []
    assert vendor.connections == 1


def test_a_reset_can_meet_a_connection_that_was_good_before(vendor):
    with asking(vendor) as client:
        read_answer(client)
        vendor.misbehave(ResetBeforeReading())
        client.sendall(request_bytes(target(LOGIN)))
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert len(vendor.requests) == 1


def test_a_reset_after_reading_has_received_the_events(vendor):
    vendor.misbehave(ResetAfterReading())
    with asking(vendor, confirmation("100023")) as client, pytest.raises(ConnectionResetError):
        client.recv(1)
    assert (vendor.orders["100023"], vendor.accepted_orders["100023"], vendor.events) == (1, 0, [])


def test_a_dripped_head_comes_byte_by_byte(vendor):
    vendor.misbehave(DripHead(interval=60))
    with asking(vendor) as client:
        assert client.recv(100) == b"H"
        assert_nothing_comes(client)


def test_a_dripped_head_is_a_good_one_to_who_can_wait(vendor):
    vendor.misbehave(DripHead(interval=0, size=10))
    with asking(vendor) as client:
        for _ in range(2):
            status, headers, body = read_answer(client)
            assert (status, headers["x-padding"], body) == (200, "x" * 10, USUAL_BODY)
            client.sendall(request_bytes(target(LOGIN)))


def test_a_dripped_body_comes_byte_by_byte_after_the_head(vendor):
    vendor.misbehave(DripBody(interval=60))
    with asking(vendor) as client:
        received = b""
        while not received.endswith(b"\r\n\r\nx"):
            received += client.recv(1)
        assert b"\r\nContent-Length: 10000\r\n" in received
        assert_nothing_comes(client)


def test_a_dripped_body_is_a_good_one_to_who_can_wait(vendor):
    vendor.misbehave(DripBody(interval=0, size=10))
    with asking(vendor) as client:
        for _ in range(2):
            assert read_answer(client)[2] == b"x" * 10
            client.sendall(request_bytes(target(LOGIN)))


def test_a_huge_body_has_ten_megabytes_and_leaves_the_connection_usable(vendor, url):
    vendor.misbehave(HugeBody(), times=1)
    with requests.Session() as session:
        assert len(session.get(url).content) == 10 * 1024 * 1024
        assert session.get(url).content == USUAL_BODY
    assert vendor.connections == 1


def test_a_huge_body_has_the_size_it_was_given(vendor, url):
    vendor.misbehave(HugeBody(size=65_537))
    assert requests.get(url).content == b"x" * 65_537


def test_garbage_is_no_http(vendor, url):
    vendor.misbehave(Garbage(), times=1)
    with pytest.raises(requests.ConnectionError, match="BadStatusLine"):
        requests.get(url)
    vendor.misbehave(Garbage(b"what you like"))
    with asking(vendor) as client:
        assert read_all(client) == b"what you like"
    assert vendor.events == []


def test_malformed_headers_are_noticed_by_a_library(vendor, url, caplog):
    vendor.misbehave(MalformedHeaders())
    assert requests.get(url).content == USUAL_BODY
    [complaint] = caplog.messages
    assert "Failed to parse headers" in complaint
    with asking(vendor) as client:
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\nno colon here\r\n: no name\r\n\r\n")


def test_a_truncated_body_ends_too_early(vendor, url):
    vendor.misbehave(TruncatedBody(missing=7))
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match=r"IncompleteRead\(20 bytes read, 7 more"):
        requests.get(url)


ACCEPTED = [
    (Answer(), True),
    (Answer(204), True),
    (Answer(199), False),
    (Answer(300), False),
    (Answer(503), False),
    (Redirect("/"), False),
    (Hang(), False),
    (ResetAfterReading(), False),
    (Garbage(), False),
    (DripHead(interval=60), True),
    (DripBody(interval=60), True),
    (HugeBody(), True),
    (MalformedHeaders(), True),
    (TruncatedBody(), True),
]


@pytest.mark.parametrize(("misbehaviour", "accepted"), ACCEPTED, ids=str)
def test_events_are_accepted_where_a_2xx_goes_out(vendor, misbehaviour, accepted):
    vendor.misbehave(misbehaviour)
    with asking(vendor):
        vendor.wait_for(lambda vendor: vendor.requests)
    assert vendor.received_events == [LOGIN]
    assert vendor.events == [LOGIN] * accepted


@pytest.mark.parametrize(
    "misbehaviour",
    [
        Answer(500, accepted=True),
        Redirect("/", accepted=True),
        Hang(accepted=True),
        ResetAfterReading(accepted=True),
        Garbage(accepted=True),
    ],
    ids=str,
)
def test_a_vendor_can_fail_after_it_has_stored_the_events(vendor, misbehaviour):
    vendor.misbehave(misbehaviour)
    with asking(vendor):
        vendor.wait_for(1)
    assert vendor.events == [LOGIN]


def test_a_vendor_can_say_200_and_lose_the_events(vendor):
    vendor.misbehave(Answer(accepted=False), TruncatedBody(accepted=False))
    for _ in range(5):
        with asking(vendor) as client:
            client.recv(1)
    assert (len(vendor.received_events), vendor.events) == (5, [])


def test_an_undocumented_request_is_never_accepted(vendor):
    vendor.misbehave(Answer(200, accepted=True))
    with asking(vendor, {"type": "login"}) as client:
        assert read_answer(client)[0] == 200
    assert vendor.events == []


def test_every_misbehaviour_is_in_the_table():
    kinds = {type(misbehaviour) for misbehaviour, _ in ACCEPTED} | {ResetBeforeReading}
    public = {kind for kind in Misbehaviour.__subclasses__() for kind in (kind.__subclasses__() or [kind])}
    assert public == kinds
