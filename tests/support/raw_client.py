"""A client without manners: sends the bytes it is given and shows the bytes that come back."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from django_vt.testing import FakeVendor

IN_VAIN = 0.05  # seconds after which a test takes it that nothing comes
LOGIN = {"type": "login", "email": "shopper@example.com", "source": "website"}


def confirmation(order_id: str, **changes: Any) -> dict[str, Any]:
    """A confirmation as the vendor's document shows it."""
    generic = {"orderId": order_id, "total": 234.12, "email": "shopper@example.com"}
    items = [{"id": "123123-M", "quantity": 2}]
    identity = {"userId": "0111", "sessionId": "013123"}
    return {**identity, "type": "confirmation", "items": items, "generic": generic, **changes}


def target(*events: object, event_type: str = "", **query: object) -> str:
    """Path and query of a request with these events."""
    [first, *_] = events
    name = event_type or (first["type"] if isinstance(first, dict) else "login")
    parameters = {"data": json.dumps(events), "callback": "vt", "ts": 78, **query}
    return f"/event/acc123/{name}?{urlencode({k: v for k, v in parameters.items() if v is not None})}"


def request_bytes(
    target: str, method: str = "GET", *headers: str, version: str = "HTTP/1.1", body: bytes = b""
) -> bytes:
    lines = [f"{method} {target} {version}", "Host: 127.0.0.1", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@contextmanager
def connected(vendor: FakeVendor) -> Iterator[socket.socket]:
    """A connection whose reads give up after five seconds: no test can hang."""
    with socket.create_connection(("127.0.0.1", vendor.port), timeout=5) as client:
        yield client


@contextmanager
def asking(vendor: FakeVendor, *events: object) -> Iterator[socket.socket]:
    """A connection on which a request with these events was sent, a login unless told."""
    with connected(vendor) as client:
        client.sendall(request_bytes(target(*events or (LOGIN,))))
        yield client


def assert_nothing_comes(client: socket.socket) -> None:
    client.settimeout(IN_VAIN)
    with pytest.raises(TimeoutError):
        client.recv(1)


def read_all(client: socket.socket) -> bytes:
    """Everything until the server ends the connection in order."""
    received = b""
    while data := client.recv(65_536):
        received += data
    return received


def read_answer(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and body of one answer; what follows stays unread."""
    status, headers = read_head(client)
    body, length = b"", int(headers["content-length"])
    while len(body) < length:
        body += _read(client, length - len(body))
    return status, headers, body


def read_head(client: socket.socket) -> tuple[int, dict[str, str]]:
    """Status and headers (lower case); what follows stays unread."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _read(client, 1)
    status_line, *lines = head.decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return int(status_line.split(" ")[1]), headers


def _read(client: socket.socket, size: int) -> bytes:
    data = client.recv(size)
    if not data:
        raise EOFError("the answer is cut off")
    return data


def ask(vendor: FakeVendor, *events: object, **changes: Any) -> int:
    """Send the events on a connection of their own; gives the answer's status."""
    with connected(vendor) as client:
        client.sendall(request_bytes(target(*events, **changes)))
        return read_answer(client)[0]
