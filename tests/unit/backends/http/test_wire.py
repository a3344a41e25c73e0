from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from django_vt.backends.http import HttpBackend
from django_vt.backends.http._wire import DiscreetConnection
from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest

pytestmark = pytest.mark.any_database

QUERY = "data=%5B%7B%22type%22%3A%22wishlist%22%2C%22email%22%3A%22buyer%40example.com%22%7D%5D&callback=vt&ts=7"


@pytest.fixture
def backend() -> Iterator[HttpBackend]:
    backend = HttpBackend()
    yield backend
    backend.close()


def request_to(endpoint: str, query: str = QUERY) -> OutgoingRequest:
    return OutgoingRequest(f"{endpoint}/acc123/wishlist?{query}", "acc123", "wishlist", (1,), ("{}",))


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A proxy of the environment that answers itself; the request lines it got."""
    lines: list[str] = []

    def serve() -> None:
        connection, _address = server.accept()
        with connection:
            lines.append(connection.makefile("rb").readline().decode())
            connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "")
        thread = threading.Thread(target=serve)
        thread.start()
        yield lines
        thread.join(10)


def test_the_query_arrives_as_it_is(fake_vendor, backend):
    assert backend.send(request_to(fake_vendor.endpoint)) == Reply(200)
    backend.send(request_to(fake_vendor.endpoint, f"{QUERY}&more=+%7E?x"))
    assert [request.raw_query for request in fake_vendor.requests] == [QUERY, f"{QUERY}&more=+%7E?x"]
    assert fake_vendor.requests[0].path == "/event/acc123/wishlist"


def test_it_arrives_through_a_proxy_too(settings, proxy, backend):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "TRUST_ENV": True, "ENDPOINT": "http://127.0.0.1:9/event"}
    assert backend.send(request_to("http://127.0.0.1:9/event")) == Reply(204)
    assert proxy == [f"GET http://127.0.0.1:9/event/acc123/wishlist?{QUERY} HTTP/1.1\r\n"]


@pytest.mark.parametrize(
    ("owner", "function"),
    [
        (urllib3.connectionpool.HTTPConnectionPool, "urlopen"),
        (urllib3.connection.HTTPConnection, "request"),
        (http.client.HTTPConnection, "putrequest"),
    ],
)
def test_no_function_that_is_watched_gets_to_see_it(fake_vendor, backend, monkeypatch, owner, function):
    seen: list[str] = []
    real = getattr(owner, function)

    def watched(*args: Any, **options: Any) -> Any:
        seen.extend(str(value) for value in (*args[1:], *options.values()))
        return real(*args, **options)

    monkeypatch.setattr(owner, function, watched)
    backend.send(request_to(fake_vendor.endpoint))
    assert "buyer" not in "".join(seen)
    assert "/event/acc123/wishlist" in "".join(seen)
    assert [request.raw_query for request in fake_vendor.requests] == [QUERY]


def test_a_python_that_writes_requests_otherwise_is_noticed_and_nothing_counts_as_sent(
    fake_vendor, backend, monkeypatch
):
    monkeypatch.delattr(DiscreetConnection, "_encode_request")
    with pytest.raises(RuntimeError, match="not written"):
        backend.send(request_to(fake_vendor.endpoint))


def test_a_connection_without_a_query_to_write_is_as_any(fake_vendor):
    connection = DiscreetConnection("127.0.0.1", fake_vendor.port)
    connection.request("GET", f"/event/acc123/wishlist?{QUERY}")
    assert connection.getresponse().status == 200
    connection.close()
    assert [request.raw_query for request in fake_vendor.requests] == [QUERY]
