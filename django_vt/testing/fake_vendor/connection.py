"""One client's connection to the stand-in: bytes in, bytes out, and the rude ways to end it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from typing import NoReturn

READ_SIZE = 65_536
HEAD_END = b"\r\n\r\n"
# SO_LINGER on with zero seconds: close() throws away what is unsent and sends RST instead of FIN.
LINGER_ZERO = struct.pack("ii", 1, 0)


class ClientGone(Exception):
    """The client hung up, or the stand-in was stopped: nothing more can be read or sent."""


@contextlib.contextmanager
def _client_gone() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ClientGone from error


class Connection:
    """A socket with a read buffer. Its own thread reads and sends; `cut()` alone may come from another."""

    def __init__(self, accepted: socket.socket) -> None:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = accepted
        self._buffer = b""
        self._cut = threading.Event()
        # cut() must not shut down a file descriptor that close() has just given back to the system.
        self._closing = threading.Lock()

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands as the server; `ClientGone` where the client doesn't trust the certificate."""
        with _client_gone():
            with self._closing:
                self._socket = context.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
            self._socket.do_handshake()

    def has_request(self) -> bool:
        """Wait for the first byte of the next request without reading it; False when the client is done."""
        if self._buffer:
            return True
        with _client_gone():
            # The base class's recv: an SSLSocket can't peek, and one encrypted byte is as good a sign.
            return socket.socket.recv(self._socket, 1, socket.MSG_PEEK) != b""

    def read_head(self) -> bytes:
        """The request line and headers, without the empty line that ends them."""
        while (end := self._buffer.find(HEAD_END)) < 0:
            self._read_more()
        head, self._buffer = self._buffer[:end], self._buffer[end + len(HEAD_END) :]
        return head

    def discard(self, size: int) -> None:
        """Read a body of `size` bytes and forget it."""
        while len(self._buffer) < size:
            self._read_more()
        self._buffer = self._buffer[size:]

    def _read_more(self) -> None:
        with _client_gone():
            data = self._socket.recv(READ_SIZE)
        if not data:
            raise ClientGone
        self._buffer += data

    def send(self, data: bytes) -> None:
        """Send all of `data`, however slowly the client reads."""
        with _client_gone():
            self._socket.sendall(data)

    def drip(self, data: bytes, interval: float) -> None:
        """Send `data` one byte every `interval` seconds."""
        for position in range(len(data)):
            self.send(data[position : position + 1])
            self.pause(interval)

    def pause(self, seconds: float) -> None:
        """Do nothing for `seconds`, or until the stand-in stops."""
        if self._cut.wait(seconds):
            raise ClientGone

    def wait_until_gone(self) -> NoReturn:
        """Never answer: ends when the client gives up or the stand-in stops."""
        while True:
            self._read_more()

    def reset(self) -> None:
        """End it with a TCP RST, as a crashing server or a firewall does."""
        with self._closing:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
            self._socket.close()

    def close(self) -> None:
        """End it in order (FIN); harmless when it has ended already."""
        with self._closing:
            self._socket.close()

    def cut(self) -> None:
        """Wake the connection's thread out of whatever it waits for; it then closes the connection."""
        self._cut.set()
        with self._closing, contextlib.suppress(OSError):  # the client may have gone first
            # Not SSLSocket.shutdown, which takes its TLS state away under the thread that reads.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
