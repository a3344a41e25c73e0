from __future__ import annotations

import socket
import threading
from dataclasses import replace

import pytest
import requests

from django_vt.testing import Answer, Hang, Misbehaviour
from django_vt.testing.fake_vendor.server import Exchange
from tests.support.raw_client import LOGIN, asking, assert_nothing_comes, read_answer, request_bytes, target

pytestmark = [pytest.mark.once, pytest.mark.any_database]

USUAL_BODY = b'vt({"status": "ok"})'


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


def test_an_answer_may_change_the_body_only_or_the_headers_only(vendor):
    vendor.misbehave(Answer(body=b""), times=1)
    vendor.misbehave(Answer(headers={"Content-Type": "text/plain"}))
    with asking(vendor) as client:
        status, headers, body = read_answer(client)
        assert (status, headers["content-type"], body) == (200, "application/javascript", b"")
        client.sendall(request_bytes(target(LOGIN)))
        status, headers, body = read_answer(client)
        assert (status, headers["content-type"], body) == (200, "text/plain", USUAL_BODY)


def test_an_answer_without_a_status_leaves_the_usual_one(vendor):
    vendor.misbehave(Answer(headers={"X-Slow": "yes"}))
    with asking(vendor, {"type": "login"}) as client:
        status, headers, _ = read_answer(client)
    assert (status, headers["x-slow"]) == (400, "yes")


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
    before = set(threading.enumerate())
    with asking(vendor):
        vendor.wait_for(lambda vendor: vendor.requests)
        [hung] = set(threading.enumerate()) - before
    hung.join(5)
    assert not hung.is_alive()
    with asking(vendor) as client:
        assert read_answer(client)[0] == 200


ACCEPTED = [
    (Answer(), True),
    (Answer(204), True),
    (Answer(199), False),
    (Answer(300), False),
    (Answer(503), False),
    (Answer(200, accepted=False), False),
    (Answer(500, accepted=True), True),
    (Hang(), False),
    (Hang(accepted=True), True),
]


@pytest.mark.parametrize(("misbehaviour", "accepted"), ACCEPTED, ids=str)
def test_events_are_accepted_where_a_2xx_goes_out_unless_told(vendor, misbehaviour, accepted):
    vendor.misbehave(misbehaviour)
    with asking(vendor):
        vendor.wait_for(lambda vendor: vendor.requests)
    assert vendor.received_events == [LOGIN]
    assert vendor.events == [LOGIN] * accepted


def test_an_undocumented_request_is_never_accepted(vendor):
    vendor.misbehave(Answer(200, accepted=True))
    with asking(vendor, {"type": "login"}) as client:
        assert read_answer(client)[0] == 200
    assert vendor.events == []


class Truth(Misbehaviour):
    """Refuses each request with the vendor's own reason, and doesn't keep it."""

    def treat(self, exchange: Exchange) -> None:
        reason = exchange.received.violations[0].encode()
        exchange.wfile.write(replace(exchange.reply, status=418, body=reason).to_bytes())
        self.sends_at_once = exchange.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_misbehaviour_can_be_ones_own(vendor):
    truth = Truth()
    vendor.misbehave(truth)
    with asking(vendor, {"type": "login"}) as client:
        for _ in range(2):
            status, _headers, body = read_answer(client)
            assert (status, body) == (418, b"data[0].identity: not exactly one")
            client.sendall(request_bytes(target({"type": "login"})))
    assert vendor.requests == []
    assert truth.sends_at_once
