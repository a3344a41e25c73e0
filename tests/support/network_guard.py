"""Keeps the tests on this machine: looking up a foreign name or connecting to one is refused and remembered.

Remembered, because the code under test is there to survive failed connections: a refusal that it swallows
must still fail the test.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

LOOKUPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")
CONNECTIONS = ("connect", "connect_ex")


class ForeignNetwork(AssertionError):
    """A test reached for another machine."""


def is_local(host: object) -> bool:
    """Whether a host, as the socket module takes one, can only be this machine."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False


@contextmanager
def loopback_only() -> Iterator[list[str]]:
    """While it lasts nothing leaves this machine; yields the list of what has tried to."""
    tried: list[str] = []

    def check(deed: str, host: object) -> None:
        if not is_local(host):
            tried.append(f"{deed}({host!r})")
            raise ForeignNetwork(tried[-1])

    def lookup(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(host: object, *args: Any, **kwargs: Any) -> Any:
            check(name, host)
            return real(host, *args, **kwargs)

        return guarded

    def connection(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(self: socket.socket, address: Any) -> Any:
            if self.family in {socket.AF_INET, socket.AF_INET6}:
                check(name, address[0])
            return real(self, address)

        return guarded

    with pytest.MonkeyPatch.context() as patch:
        for name in LOOKUPS:
            patch.setattr(socket, name, lookup(name, getattr(socket, name)))
        for name in CONNECTIONS:
            patch.setattr(socket.socket, name, connection(name, getattr(socket.socket, name)))
        yield tried
