"""Certificates of an authority that nobody knows, and servers that shake hands oddly."""

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
def handshake(answer: bytes, *, drips: bool = False) -> Iterator[str]:
    """The endpoint of a server that answers the first handshake with these bytes and ends the connection.

    If `drips`, it goes on with a byte every fiftieth of a second instead.
    """
    ended = threading.Event()

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(ConnectionError):
            connection.recv(65_536)
            connection.sendall(answer)
            while drips and not ended.wait(0.02):
                connection.sendall(b"\0")

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)  # nobody may come
        serving = threading.Thread(target=serve, args=(server,))
        serving.start()
        try:
            yield f"https://127.0.0.1:{server.getsockname()[1]}/event"
        finally:
            ended.set()
            serving.join()
