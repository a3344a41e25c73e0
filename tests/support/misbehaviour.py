"""Ways to fail that only our own tests need; like `Answer` and `Hang`, each is a value for `FakeVendor.misbehave()`."""

from __future__ import annotations

import random
import socket
import struct
from abc import abstractmethod
from dataclasses import dataclass, replace

from django_vt.testing import Answer, FakeVendor, Misbehaviour
from django_vt.testing.fake_vendor.server import Exchange

CHUNK = 65_536
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n"
# SO_LINGER on with zero seconds: close() throws away what is unsent and sends RST instead of FIN.
LINGER_ZERO = struct.pack("ii", 1, 0)


def redirect(url: str, status: int = 302) -> Answer:
    """Sends the client elsewhere."""
    return Answer(status, headers={"Location": url}, body=b"")


def misbehave_at_random(vendor: FakeVendor, *misbehaviours: Misbehaviour, share: float, seed: int) -> None:
    """Treat a `share` of the requests badly, in one of these ways each; what is drawn follows from `seed`."""
    chance = random.Random(seed)
    left = 1.0
    for misbehaviour in misbehaviours:
        # The vendor asks one after the other: each has its part of what the ones before have left.
        part = share / len(misbehaviours)
        vendor.misbehave(misbehaviour, when=lambda request, likely=part / left: chance.random() < likely)
        left -= part


@dataclass(frozen=True, kw_only=True)
class RawMisbehaviour(Misbehaviour):
    """Does with the connection as it likes.

    `accepted`: whether the vendor takes the events for its own all the same. A real one may store them and fail then.
    """

    accepted: bool = False

    def treat(self, exchange: Exchange) -> None:
        exchange.keep(accepted=self.accepted)
        self.answer(exchange)

    @abstractmethod
    def answer(self, exchange: Exchange) -> None:
        """Send what there is to send."""


@dataclass(frozen=True, kw_only=True)
class _Success(RawMisbehaviour):
    """The client sees at least the beginning of a 200."""

    accepted: bool = True


# No answer, or none that is any


@dataclass(frozen=True)
class ResetBeforeReading(Misbehaviour):
    """Resets the connection (TCP RST) when a request arrives, as if unread: it is neither received nor accepted."""

    def treat(self, exchange: Exchange) -> None:
        _reset(exchange)


@dataclass(frozen=True)
class ResetAfterReading(RawMisbehaviour):
    """Reads the request, then resets the connection (TCP RST): it is received, and nobody says what became of it."""

    def answer(self, exchange: Exchange) -> None:
        _reset(exchange)


def _reset(exchange: Exchange) -> None:
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    exchange.connection.close()  # at once, where the server would first say that nothing more comes
    exchange.close_connection = True


@dataclass(frozen=True)
class HangUp(RawMisbehaviour):
    """Reads the request, then ends the connection in order (FIN), without a byte of answer."""

    def answer(self, exchange: Exchange) -> None:
        exchange.close_connection = True


@dataclass(frozen=True)
class Bytes(RawMisbehaviour):
    """`data` as it is; then the end of the connection, unless `ends` is False."""

    data: bytes
    ends: bool = True

    def answer(self, exchange: Exchange) -> None:
        exchange.wfile.write(self.data)
        exchange.close_connection = self.ends


@dataclass(frozen=True)
class Garbage(Bytes):
    """Bytes that are no HTTP."""

    data: bytes = b"\x00\xffSSH-2.0-not-a-web-server\r\n\r\n"


# An odd 200


@dataclass(frozen=True)
class HangUpAfterAnswer(_Success):
    """The usual answer, which lets the connection be used again; then its end: a next request comes too late."""

    def answer(self, exchange: Exchange) -> None:
        exchange.wfile.write(exchange.reply.to_bytes())
        exchange.close_connection = True


@dataclass(frozen=True)
class EarlyHints(_Success):
    """`count` interim answers (103), then the usual one."""

    count: int = 1

    def answer(self, exchange: Exchange) -> None:
        for _ in range(self.count):
            exchange.wfile.write(EARLY_HINTS)
        exchange.wfile.write(exchange.reply.to_bytes())


@dataclass(frozen=True)
class DripHead(_Success):
    """A 200 whose headers come one byte every `interval` seconds, with a header of `size` bytes among them."""

    interval: float = 1.0
    size: int = 10_000

    def answer(self, exchange: Exchange) -> None:
        padded = replace(exchange.reply, headers={"X-Padding": "x" * self.size, **exchange.reply.headers})
        _drip(exchange, padded.head(), self.interval)
        exchange.wfile.write(padded.body)


@dataclass(frozen=True)
class DripBody(_Success):
    """A 200 at once, then a body of `size` bytes, one every `interval` seconds."""

    interval: float = 1.0
    size: int = 10_000

    def answer(self, exchange: Exchange) -> None:
        exchange.wfile.write(exchange.reply.head(self.size))
        _drip(exchange, b"x" * self.size, self.interval)


def _drip(exchange: Exchange, data: bytes, interval: float) -> None:
    for position in range(len(data)):
        exchange.wfile.write(data[position : position + 1])
        exchange.pause(interval)


@dataclass(frozen=True)
class HugeBody(_Success):
    """A 200 with a body of `size` bytes, 10 MB unless told, as fast as the client reads."""

    size: int = 10 * 1024 * 1024

    def answer(self, exchange: Exchange) -> None:
        exchange.wfile.write(exchange.reply.head(self.size))
        for start in range(0, self.size, CHUNK):
            exchange.wfile.write(b"x" * min(CHUNK, self.size - start))


@dataclass(frozen=True)
class MalformedHeaders(_Success):
    """A 200 with headers that are none: no colon, an empty name, a length that isn't a number."""

    def answer(self, exchange: Exchange) -> None:
        exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\nno colon here\r\n: no name\r\n\r\n")
        exchange.wfile.write(exchange.reply.body)
        exchange.close_connection = True  # no client could know where the body ends


@dataclass(frozen=True)
class TruncatedBody(_Success):
    """A 200 that promises `missing` bytes more than it sends before the connection ends."""

    missing: int = 1_000

    def answer(self, exchange: Exchange) -> None:
        body = exchange.reply.body
        exchange.wfile.write(exchange.reply.head(len(body) + self.missing) + body)
        exchange.close_connection = True
