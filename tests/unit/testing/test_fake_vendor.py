from __future__ import annotations

import datetime
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from django_vt.testing import Answer, FakeVendor
from tests.support.raw_client import (
    LOGIN,
    ask,
    confirmation,
    connected,
    read_all,
    read_answer,
    request_bytes,
    target,
)

pytestmark = [pytest.mark.once, pytest.mark.any_database]


def test_an_event_is_answered_with_jsonp_and_kept(vendor):
    before = datetime.datetime.now(datetime.timezone.utc)
    with connected(vendor) as client:
        client.sendall(request_bytes(target(LOGIN), "GET", "User-Agent: raw"))
        status, headers, body = read_answer(client)
    assert (status, headers["content-type"], body) == (200, "application/javascript", b'vt({"status": "ok"})')
    [request] = vendor.requests
    assert (request.method, request.account_id, request.event_type) == ("GET", "acc123", "login")
    assert f"{request.path}?{request.raw_query}" == target(LOGIN)
    assert (request.callback, request.headers["user-agent"], request.events) == ("vt", "raw", (LOGIN,))
    assert before <= request.at <= datetime.datetime.now(datetime.timezone.utc)
    assert request.accepted
    assert vendor.events == vendor.received_events == [LOGIN]
    assert vendor.violations == []


def test_without_a_callback_the_answer_is_json(vendor):
    with connected(vendor) as client:
        client.sendall(request_bytes(target(LOGIN, callback=None)))
        _, headers, body = read_answer(client)
    assert (headers["content-type"], body) == ("application/json", b'{"status": "ok"}')


def test_a_library_reads_its_answers_over_one_connection(vendor):
    with requests.Session() as session:
        for number in range(3):
            assert session.get(vendor.endpoint.removesuffix("/event") + target(confirmation(str(number)))).ok
    assert vendor.orders == {"0": 1, "1": 1, "2": 1}
    assert vendor.connections == 1


def test_requests_sent_at_once_are_answered_one_after_the_other(vendor):
    with connected(vendor) as client:
        client.sendall(request_bytes(target(LOGIN)) + request_bytes("/elsewhere"))
        assert [read_answer(client)[0], read_answer(client)[0]] == [200, 404]


def test_a_body_is_not_taken_for_the_next_request(vendor):
    with connected(vendor) as client:
        client.sendall(request_bytes(target(LOGIN), "GET", "Content-Length: 4", body=b"body"))
        client.sendall(request_bytes(target(LOGIN)))
        assert [read_answer(client)[0], read_answer(client)[0]] == [200, 200]


def test_a_request_may_come_in_pieces(vendor):
    whole = request_bytes(target(LOGIN), "POST", "Content-Length: 200000", body=b"x" * 200_000)
    with connected(vendor) as client:
        client.sendall(whole[:20])
        client.sendall(whole[20:])
        assert read_answer(client)[0] == 405
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    ("headers", "version"),
    [(("Connection: close",), "HTTP/1.1"), (("Connection: Close",), "HTTP/1.1"), ((), "HTTP/1.0")],
)
def test_a_client_that_wants_it_so_gets_its_connection_closed(vendor, headers, version):
    with connected(vendor) as client:
        client.sendall(request_bytes(target(LOGIN), "GET", *headers, version=version))
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: close\r\n" in answer


@pytest.mark.parametrize("path", ["/", "/event", "/event/acc123", "/event/acc123/login/", "/events/acc123/login"])
def test_another_path_is_not_found(vendor, path):
    with connected(vendor) as client:
        client.sendall(request_bytes(path))
        assert read_answer(client)[0] == 404
    [request] = vendor.requests
    assert (request.path, request.account_id, request.event_type, request.accepted) == (path, "", "", False)


def test_another_method_is_not_allowed(vendor):
    with connected(vendor) as client:
        client.sendall(request_bytes(target(LOGIN), "POST"))
        status, headers, _ = read_answer(client)
        assert (status, headers["allow"], client.recv(1)) == (405, "GET", b"")
    assert vendor.events == []
    assert vendor.received_events == [LOGIN]


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ],
)
@pytest.mark.parametrize("used_before", [False, True])
def test_what_is_no_http_is_answered_and_not_kept(vendor, garbage, used_before):
    with connected(vendor) as client:
        if used_before:
            client.sendall(request_bytes(target(LOGIN)))
            read_answer(client)
        client.sendall(garbage)
        assert read_all(client).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert len(vendor.requests) == used_before


@pytest.mark.parametrize(
    ("line", "status"), [(f"GET /{'x' * 65_536} HTTP/1.1", 414), ("BREW / HTTP/1.1", 501)], ids=["long", "unknown"]
)
def test_a_line_that_is_too_long_or_has_an_unknown_method_is_answered_and_not_kept(vendor, line, status):
    with connected(vendor) as client:
        client.sendall(line.encode() + b"\r\n\r\n")
        assert read_answer(client)[0] == status
    assert vendor.requests == []


@pytest.mark.parametrize(
    "part",
    [
        b"GET /event/acc123/lo",
        b"GET /event/acc123/login HTTP/1.1\r\n",
        b"GET /event/acc123/login HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"GET /event/acc123/login HTTP/1.1\r\nContent-Length: 7\r\n\r\nbody",
    ],
    ids=["line", "head", "headers", "body"],
)
def test_a_client_that_leaves_amid_a_request_leaves_no_record(vendor, part):
    with connected(vendor) as client:
        client.sendall(part)
        client.shutdown(socket.SHUT_WR)
        read_all(client)
    assert ask(vendor, LOGIN) == 200
    assert len(vendor.requests) == 1


def test_an_order_that_comes_twice_is_accepted_and_counted_twice(vendor):
    ask(vendor, confirmation("100023"), confirmation("100024"))
    assert ask(vendor, confirmation("100023")) == 200
    assert vendor.orders == vendor.accepted_orders == {"100023": 2, "100024": 1}


def test_orders_count_what_was_received_and_accepted_orders_what_was_taken(vendor):
    vendor.misbehave(Answer(500), times=1)
    assert [ask(vendor, confirmation("100023")), ask(vendor, confirmation("100023"))] == [500, 200]
    assert (vendor.orders["100023"], vendor.accepted_orders["100023"]) == (2, 1)


def test_an_order_id_counts_as_text_and_only_in_a_confirmation(vendor):
    ask(vendor, confirmation("7", generic={"orderId": 7, "total": 1}))
    ask(vendor, {**LOGIN, "generic": {"orderId": "8"}})
    for none in ("", None):
        ask(vendor, confirmation("", generic={"orderId": none}))
    for odd in (0, ["9"]):
        ask(vendor, confirmation("", generic={"orderId": odd}))
    assert vendor.orders == {"7": 1, "0": 1, "['9']": 1}


def test_records_are_whole_under_many_clients(vendor):
    def send(client_number: int) -> None:
        with connected(vendor) as client:
            for number in range(25):
                client.sendall(request_bytes(target(confirmation(f"{client_number}-{number}"))))
                assert read_answer(client)[0] == 200

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    assert vendor.accepted_orders == {f"{client}-{number}": 1 for client in range(8) for number in range(25)}
    assert vendor.connections == 8


def test_wait_for_returns_when_so_many_events_were_accepted(vendor):
    vendor.misbehave(Answer(500), times=1)

    def send_all() -> None:
        ask(vendor, LOGIN, LOGIN)
        ask(vendor, LOGIN, LOGIN)
        ask(vendor, LOGIN)

    sender = threading.Thread(target=send_all)
    sender.start()
    vendor.wait_for(3)
    assert vendor.events == [LOGIN] * 3
    sender.join()


def test_wait_for_asks_its_predicate_after_each_request(vendor):
    asked = threading.Event()

    def send() -> None:
        assert asked.wait(5)
        ask(vendor, confirmation("100023"))
        ask(vendor, confirmation("100023"))

    def predicate(vendor) -> bool:
        asked.set()
        return vendor.orders["100023"] == 2

    sender = threading.Thread(target=send)
    sender.start()
    started = time.monotonic()
    vendor.wait_for(predicate, timeout=30)
    assert time.monotonic() - started < 10
    sender.join()
    assert len(vendor.requests) == 2


def test_wait_for_gives_up_and_names_no_shopper(vendor):
    ask(vendor, LOGIN)
    with pytest.raises(TimeoutError, match=r"^waited 0\.\d s: got 1 requests, 1 events accepted$"):
        vendor.wait_for(2, timeout=0.01)
    with pytest.raises(TimeoutError):
        vendor.wait_for(lambda vendor: False, timeout=0.01)


def test_a_request_shows_itself_without_what_is_in_it(vendor):
    ask(vendor, LOGIN)
    ask(vendor, LOGIN, ts="x")
    assert repr(vendor.requests) == (
        "[<VendorRequest GET login, 1 events, accepted>, <VendorRequest GET login, 1 events, not accepted>]"
    )


def test_reset_forgets_what_it_got_and_was_told(vendor):
    vendor.misbehave(Answer(500))
    ask(vendor, LOGIN)
    vendor.refuse()
    vendor.reset()
    assert (vendor.requests, vendor.events, vendor.orders) == ([], [], {})
    assert ask(vendor, LOGIN) == 200
    vendor.wait_for(1)
    with pytest.raises(TimeoutError):
        vendor.wait_for(2, timeout=0.01)


def test_each_request_is_shown_to_on_request_before_its_answer():
    seen = []
    with FakeVendor(on_request=seen.append) as vendor:
        ask(vendor, LOGIN)
        assert seen == vendor.requests


def test_an_error_of_a_function_that_it_was_given_is_seen(monkeypatch):
    seen = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: seen.append(arguments.exc_value))

    def fails(request):
        raise FileNotFoundError

    with FakeVendor(on_request=fails) as vendor, connected(vendor) as client:
        client.sendall(request_bytes(target(LOGIN)))
        assert read_all(client) == b""
    assert [type(error) for error in seen] == [FileNotFoundError]
