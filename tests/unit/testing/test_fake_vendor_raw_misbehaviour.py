"""The ways to fail that only our own tests need do what they say."""

from __future__ import annotations

from inspect import isabstract

import pytest
import requests

from django_vt.testing import Answer, Misbehaviour
from tests.support import misbehaviour as ways
from tests.support.misbehaviour import (
    Bytes,
    DripBody,
    DripHead,
    EarlyHints,
    Garbage,
    HangUp,
    HangUpAfterAnswer,
    HugeBody,
    MalformedHeaders,
    ResetAfterReading,
    ResetBeforeReading,
    TruncatedBody,
    misbehave_at_random,
    redirect,
)
from tests.support.raw_client import (
    LOGIN,
    ask,
    asking,
    assert_nothing_comes,
    confirmation,
    read_all,
    read_answer,
    read_head,
    request_bytes,
    target,
)

pytestmark = [pytest.mark.once, pytest.mark.any_database]

USUAL_BODY = b'vt({"status": "ok"})'


def test_a_redirect_names_another_place(vendor, url):
    vendor.misbehave(redirect("http://127.0.0.1:9/elsewhere", status=307))
    answer = requests.get(url, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (307, "http://127.0.0.1:9/elsewhere")
    assert vendor.events == []


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
    assert vendor.events == []


def test_any_bytes_can_be_sent_before_the_connection_ends_or_the_next_request(vendor):
    vendor.misbehave(Bytes(b"what ", ends=False), times=1)
    vendor.misbehave(Bytes(b"you like"))
    with asking(vendor) as client:
        assert client.recv(5) == b"what "
        assert_nothing_comes(client)
        client.settimeout(5)
        client.sendall(request_bytes(target(LOGIN)))
        assert read_all(client) == b"you like"
    assert (len(vendor.requests), vendor.events) == (2, [])


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


def test_who_hangs_up_has_received_the_events_and_says_nothing(vendor):
    vendor.misbehave(HangUp())
    with asking(vendor) as client:
        assert read_all(client) == b""
    assert (vendor.received_events, vendor.events) == ([LOGIN], [])


def test_an_answer_that_promises_more_can_be_the_last_one(vendor):
    vendor.misbehave(HangUpAfterAnswer(), times=1)
    with asking(vendor) as client:
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection" not in answer
    assert vendor.events == [LOGIN]


def test_early_hints_come_before_the_answer(vendor):
    vendor.misbehave(EarlyHints(count=2))
    with asking(vendor) as client:
        for _ in range(2):
            statuses = [read_head(client)[0] for _ in range(2)] + [read_answer(client)[0]]
            assert statuses == [103, 103, 200]
            client.sendall(request_bytes(target(LOGIN)))


USUALLY_ACCEPTED = [
    (HangUp(), False),
    (HangUpAfterAnswer(), True),
    (EarlyHints(), True),
    (ResetAfterReading(), False),
    (Garbage(), False),
    (Bytes(b"what you like"), False),
    (DripHead(interval=60), True),
    (DripBody(interval=60), True),
    (HugeBody(), True),
    (MalformedHeaders(), True),
    (TruncatedBody(), True),
]


@pytest.mark.parametrize(("misbehaviour", "accepted"), USUALLY_ACCEPTED, ids=str)
def test_events_are_accepted_where_a_2xx_goes_out(vendor, misbehaviour, accepted):
    vendor.misbehave(misbehaviour)
    with asking(vendor):
        vendor.wait_for(lambda vendor: vendor.requests)
    assert vendor.received_events == [LOGIN]
    assert vendor.events == [LOGIN] * accepted


@pytest.mark.parametrize("kind", [HangUp, ResetAfterReading, Garbage])
def test_a_vendor_can_fail_after_it_has_stored_the_events(vendor, kind):
    vendor.misbehave(kind(accepted=True))
    with asking(vendor):
        vendor.wait_for(1)
    assert vendor.events == [LOGIN]


def test_a_vendor_can_say_200_and_lose_the_events(vendor):
    vendor.misbehave(TruncatedBody(accepted=False))
    with asking(vendor) as client:
        assert read_head(client)[0] == 200
    assert (vendor.received_events, vendor.events) == ([LOGIN], [])


def test_every_way_is_in_the_table():
    defined = {kind for kind in vars(ways).values() if isinstance(kind, type) and issubclass(kind, Misbehaviour)}
    ours = {kind for kind in defined if kind.__module__ == ways.__name__ and not isabstract(kind)}
    assert ours == {type(misbehaviour) for misbehaviour, _ in USUALLY_ACCEPTED} | {ResetBeforeReading}


def test_a_share_of_the_requests_is_drawn_from_the_seed(vendor):
    drawn = []
    for seed in (1, 1, 2):
        vendor.reset()
        misbehave_at_random(vendor, Answer(500), Answer(429), Answer(404), share=0.6, seed=seed)
        drawn.append([ask(vendor, LOGIN) for _ in range(150)])
    assert drawn[0] == drawn[1] != drawn[2]
    for status in (500, 429, 404):
        assert 15 <= drawn[0].count(status) <= 45
    assert sum(drawn[0].count(status) for status in (200, 500, 429, 404)) == 150


def test_all_of_the_requests_may_be_drawn_from(vendor):
    misbehave_at_random(vendor, Answer(500), Answer(429), share=1, seed=1)
    assert {ask(vendor, LOGIN) for _ in range(40)} == {500, 429}
