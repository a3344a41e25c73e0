"""The stand-in's HTTP server, based on Python's, and the ways in which it can misbehave.

A `VendorServer` listens, an `Exchange` serves one connection, a `Misbehaviour` answers one request on it.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .document import Reply, VendorRequest, read_request, usual_reply

HOST = "127.0.0.1"
BACKLOG = 1_024
ANSWERED_WITHIN = 1.0  # seconds
POLL_INTERVAL = 0.01  # seconds: the server notices within this time that it must end

Draw = Callable[[VendorRequest], "Misbehaviour"]
Keep = Callable[[VendorRequest], None]


class Misbehaviour(ABC):
    """One way to treat a request: `Answer`, `Hang`, or a subclass of your own."""

    @abstractmethod
    def treat(self, exchange: Exchange) -> None:
        """Optionally keep the request that `exchange` has read, and optionally answer it."""


@dataclass(frozen=True)
class Answer(Misbehaviour):
    """A well-formed answer with another status, headers or body, or a late one.

    `Answer(503, retry_after=120)`, `Answer(302, headers={"Location": "/"})`, `Answer(delay=2.0)`. `status` is HTTP's,
    `headers` are added to the usual ones, `delay` is in seconds, `retry_after` in seconds or an HTTP date. If `status`
    or `body` is None, it stays as usual. With a 2xx the vendor keeps the events, unless `accepted` is False. If
    `accepted` is True, it keeps them whatever the status; then a sender that retries sends them twice.
    """

    status: int | None = None
    retry_after: int | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0.0
    accepted: bool | None = None

    def treat(self, exchange: Exchange) -> None:
        """Keep the request that `exchange` has read, and answer it after the delay."""
        status = self.status or exchange.reply.status
        exchange.keep(accepted=status // 100 == 2 if self.accepted is None else self.accepted)
        exchange.pause(self.delay)
        headers = {**exchange.reply.headers, **self.headers}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        body = exchange.reply.body if self.body is None else self.body
        exchange.wfile.write(Reply(status, headers, body).to_bytes())


@dataclass(frozen=True)
class Hang(Misbehaviour):
    """Reads the request and never answers, until the client gives up or the stand-in stops.

    `accepted`: whether the vendor keeps the events anyway.
    """

    accepted: bool = False

    def treat(self, exchange: Exchange) -> None:
        """Keep the request that `exchange` has read, then read on until the connection ends."""
        exchange.keep(accepted=self.accepted)
        exchange.rfile.read()
        exchange.close_connection = True


class Exchange(BaseHTTPRequestHandler):
    """One client's connection. `received` is its current request, `reply` the vendor's usual answer to it."""

    server: VendorServer
    raw_requestline: bytes
    command: str
    close_connection: bool
    received: VendorRequest
    reply: Reply
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Serve the connection until one of the two sides ends it."""
        # Most connections end with one of these errors: the client hangs up, or the stand-in stops. Any other error
        # comes from a test's own function and must be seen.
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            super().handle()

    def parse_request(self) -> bool:
        """Read a complete request; returns False if there is none.

        The base class parses headers like those of an e-mail. That takes 0.1 ms, half as long as the rest of a request,
        and it accepts a line without a colon and headers that are cut off.
        """
        try:
            self.command, target, version = str(self.raw_requestline, "latin-1").rstrip("\r\n").split(" ")
            lines = (str(line, "latin-1").split(":", 1) for line in iter(self.rfile.readline, b"\r\n"))
            headers = {name.lower(): value.strip() for name, value in lines}
            length = int(headers.get("content-length", "0"))
        except ValueError:
            self.send_error(400)
            return False
        is_whole = len(self.rfile.read(length)) == length
        # Only after a GET is the state of the connection known.
        is_usual = (version, self.command) == ("HTTP/1.1", "GET")
        self.close_connection = not (is_whole and is_usual) or headers.get("connection", "").lower() == "close"
        self.received = read_request(self.command, target, headers)
        return is_whole

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer malformed HTTP with a bare status, without a page and without a line on the console."""
        self.close_connection = True
        self.wfile.write(Reply(code, {"Connection": "close"}, b"").to_bytes())

    def do_GET(self) -> None:
        """Treat the request by the misbehaviour that applies, or as usual."""
        self.reply = usual_reply(self.received)
        if self.close_connection:
            self.reply = replace(self.reply, headers={**self.reply.headers, "Connection": "close"})
        self.server.draw(self.received).treat(self)

    # The names that the base class calls.
    do_DELETE: Callable[..., None] = do_GET  # noqa: N815
    do_HEAD: Callable[..., None] = do_GET  # noqa: N815
    do_OPTIONS: Callable[..., None] = do_GET  # noqa: N815
    do_PATCH: Callable[..., None] = do_GET  # noqa: N815
    do_POST: Callable[..., None] = do_GET  # noqa: N815
    do_PUT: Callable[..., None] = do_GET  # noqa: N815

    def keep(self, *, accepted: bool) -> None:
        """Record the request. Call it before the answer, so that whoever has the answer finds the request."""
        self.server.keep(replace(self.received, accepted=accepted and self.reply.status == 200))

    def pause(self, seconds: float) -> None:
        """Do nothing for `seconds`; the connection ends if the stand-in stops meanwhile."""
        if seconds and self.server.ended.wait(seconds):
            raise ConnectionAbortedError


class VendorServer(ThreadingHTTPServer):
    """Serves between `accept()` and `end()`. Before `accept()`, the port is taken but connections are refused."""

    socket: socket.socket
    draw: Draw
    keep: Keep
    connections: int
    ended: threading.Event

    allow_reuse_port = False  # otherwise, in some versions of Python, two servers could listen on one port

    def __init__(self, port: int, tls: ssl.SSLContext | None, draw: Draw, keep: Keep) -> None:
        super().__init__((HOST, port), Exchange)
        if tls:  # each connection's thread does the handshake, on its first read
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.draw, self.keep = draw, keep
        self.connections = 0
        self.ended = threading.Event()
        self._accepting: threading.Thread | None = None
        self._serving: dict[socket.socket, threading.Thread] = {}

    def server_bind(self) -> None:
        """Bind without looking up this machine's name, as the base class does, maybe by DNS."""
        socketserver.TCPServer.server_bind(self)

    def server_activate(self) -> None:
        """Do not listen before `accept()`."""

    def accept(self) -> None:
        """Accept connections from now on. Does nothing if it does so already."""
        if not self._accepting:
            self.socket.listen(BACKLOG)
            self._accepting = _thread(self.serve_forever, POLL_INTERVAL)
            self._accepting.start()

    def end(self) -> None:
        """End every thread and close every socket before returning. A request that was read still gets its answer."""
        self.ended.set()
        if self._accepting:
            self.shutdown()
            self._accepting.join()
        self.server_close()
        # First the side that reads: whoever has seen the request must not find its client without an answer. Then the
        # other, if a client does not take what is written to it.
        for side, patience in ((socket.SHUT_RD, ANSWERED_WITHIN), (socket.SHUT_RDWR, None)):
            for connection in self._serving:
                with contextlib.suppress(OSError):  # the connection may have ended by itself
                    # Not SSLSocket.shutdown, which drops the TLS state while a thread reads.
                    socket.socket.shutdown(connection, side)
            for thread in self._serving.values():
                thread.join(patience)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread as the base class does, and remember it for `end()`."""
        self.connections += 1
        thread = _thread(self.process_request_thread, request, client_address)
        self._serving = {known: its for known, its in self._serving.items() if its.is_alive()} | {request: thread}
        thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let an error end the thread, where pytest notices it; the base class only prints it."""
        raise  # noqa: PLE0704 - called while the error is handled


def _thread(target: Callable[..., None], *arguments: Any) -> threading.Thread:
    return threading.Thread(target=target, args=arguments, name="fake-vendor", daemon=True)
