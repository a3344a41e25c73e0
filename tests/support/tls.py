"""TLS for the stand-in: certificates of an authority that nobody knows, and a handshake that never ends."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import trustme


class Certificate(NamedTuple):
    server: ssl.SSLContext
    authority: Path
    """A file (PEM) for clients that are to trust the server."""


def certificate(folder: Path, *names: str) -> Certificate:
    """A server's for these names, by an authority of its own that is left in `folder`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(server)
    return Certificate(server, folder / "authority.pem")


@contextmanager
def dripping_handshake(interval: float = 0.02) -> Iterator[str]:
    """The endpoint of a server that begins to shake hands, and sends a byte every `interval` seconds."""
    ended = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(ConnectionError):
            # The head of a record that would be 16 kB long.
            connection.sendall(b"\x16\x03\x03\x40\x00")
            while not ended.wait(interval):
                connection.sendall(b"\0")

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)  # nobody may come
        dripping = threading.Thread(target=drip, args=(server,))
        dripping.start()
        try:
            yield f"https://127.0.0.1:{server.getsockname()[1]}/event"
        finally:
            ended.set()
            dripping.join()
