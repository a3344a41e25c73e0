"""The ways in which a vendor can fail its callers; each is a value for `FakeVendor.misbehave()`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .connection import Connection
from .protocol import Reply

CHUNK = 65_536


@dataclass(frozen=True, kw_only=True)
class Misbehaviour(ABC):
    """One way to treat a request badly.

    `accepted` says whether the vendor takes the events for its own all the same. A real one may well: it fails after
    it has stored them, and whoever sends them again sends them twice. None leaves it as it usually is for this way:
    where a 2xx status goes out the events are accepted, elsewhere they aren't.
    """

    accepted: bool | None = None

    @property
    def keeps_events(self) -> bool:
        """Whether the events of a well-formed request count as accepted."""
        return self._usually_accepts if self.accepted is None else self.accepted

    @property
    def _usually_accepts(self) -> bool:
        return False

    @abstractmethod
    def answer(self, connection: Connection, reply: Reply) -> bool:
        """Treat a request on `connection` to which `reply` would be the usual answer; True if it can go on."""


class _StatusGoesOut(Misbehaviour):
    """The client sees at least the beginning of a 200."""

    @property
    def _usually_accepts(self) -> bool:
        return True


@dataclass(frozen=True)
class Answer(Misbehaviour):
    """A well-formed answer of another status, with other headers or another body, or late.

    `Answer(503, retry_after=120)`, `Answer(400)`, `Answer(delay=2.0)`. `status` is HTTP's, `headers` are added to the
    usual ones. `delay` is in seconds, `retry_after` in seconds or an HTTP date; None for `body` leaves the usual one.
    """

    status: int = 200
    retry_after: int | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0.0

    @property
    def _usually_accepts(self) -> bool:
        return 200 <= self.status < 300

    def answer(self, connection: Connection, reply: Reply) -> bool:
        """Send it, after the delay."""
        connection.pause(self.delay)
        headers = {**reply.headers, **self.headers}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        body = reply.body if self.body is None else self.body
        connection.send(Reply(self.status, headers, body).to_bytes())
        return True


@dataclass(frozen=True)
class Redirect(Misbehaviour):
    """Sends the client elsewhere, to `url`, with the HTTP `status`: `Redirect("http://127.0.0.1:9/elsewhere")`."""

    url: str
    status: int = 302

    def answer(self, connection: Connection, reply: Reply) -> bool:
        """Send the address."""
        connection.send(Reply(self.status, {"Location": self.url}, b"").to_bytes())
        return True


@dataclass(frozen=True)
class Hang(Misbehaviour):
    """Reads the request and never answers, until the client gives up or the stand-in stops."""

    def answer(self, connection: Connection, reply: Reply) -> bool:
        """Wait."""
        connection.wait_until_gone()


@dataclass(frozen=True)
class ResetBeforeReading(Misbehaviour):
    """Resets the connection (TCP RST) when a request arrives, unread: it is neither received nor accepted."""

    def answer(self, connection: Connection, reply: Reply) -> bool:
        """Reset."""
        connection.reset()
        return False


@dataclass(frozen=True)
class ResetAfterReading(Misbehaviour):
    """Reads the request, then resets the connection (TCP RST): it is received, and nobody says what became of it.

    `ResetAfterReading(accepted=True)` is the vendor that stored the events first.
    """

    def answer(self, connection: Connection, reply: Reply) -> bool:
        """Reset."""
        connection.reset()
        return False


@dataclass(frozen=True)
class DripHead(_StatusGoesOut):
    """A 200 whose headers come one byte every `interval` seconds, with a header of `size` bytes among them."""

    interval: float = 1.0
    size: int = 10_000

    def answer(self, connection: Connection, reply: Reply) -> bool:
        """Drip the head, then send the body."""
        padded = replace(reply, headers={"X-Padding": "x" * self.size, **reply.headers})
        connection.drip(padded.head(), self.interval)
        connection.send(padded.body)
        return True


@dataclass(frozen=True)
class DripBody(_StatusGoesOut):
    """A 200 at once, then a body of `size` bytes, one every `interval` seconds."""

    interval: float = 1.0
    size: int = 10_000

    def answer(self, connection: Connection, reply: Reply) -> bool:
        """Send the head, then drip the body."""
        padded = replace(reply, body=b"x" * self.size)
        connection.send(padded.head())
        connection.drip(padded.body, self.interval)
        return True


@dataclass(frozen=True)
class HugeBody(_StatusGoesOut):
    """A 200 with a body of `size` bytes, 10 MB unless told."""

    size: int = 10 * 1024 * 1024

    def answer(self, connection: Connection, reply: Reply) -> bool:
        """Send it as fast as the client reads."""
        connection.send(reply.head(self.size))
        for start in range(0, self.size, CHUNK):
            connection.send(b"x" * min(CHUNK, self.size - start))
        return True


@dataclass(frozen=True)
class Garbage(Misbehaviour):
    """`data`, bytes that are no HTTP, then the end of the connection."""

    data: bytes = b"\x00\xffSSH-2.0-not-a-web-server\r\n\r\n"

    def answer(self, connection: Connection, reply: Reply) -> bool:
        """Send the bytes."""
        connection.send(self.data)
        return False


@dataclass(frozen=True)
class MalformedHeaders(_StatusGoesOut):
    """A 200 with headers that are none: no colon, an empty name, a length that isn't a number."""

    def answer(self, connection: Connection, reply: Reply) -> bool:
        """Send it, and end the connection: no client could know where the body ends."""
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\nno colon here\r\n: no name\r\n\r\n")
        connection.send(reply.body)
        return False


@dataclass(frozen=True)
class TruncatedBody(_StatusGoesOut):
    """A 200 that promises `missing` bytes more than it sends before the connection ends."""

    missing: int = 1_000

    def answer(self, connection: Connection, reply: Reply) -> bool:
        """Send what there is."""
        connection.send(reply.head(len(reply.body) + self.missing) + reply.body)
        return False
