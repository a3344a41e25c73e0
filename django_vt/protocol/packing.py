"""Packing entries into requests: each for one account and event type, with as many events as are allowed and fit.

`GET <endpoint>/<account_id>/<event_type>?data=<JSON list>&callback=…&ts=<random integer>`, as the vendor documents it.
The recorded texts are joined and percent-encoded, never parsed or encoded as JSON again. This module also tells whether
anybody on the way could read such a request.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from itertools import groupby
from typing import Protocol
from urllib.parse import quote_plus, urlsplit

LARGEST_TS = 1000  # from the vendor's example: rand(0,1000)


class Packable(Protocol):
    """The attributes of an entry that packing needs."""

    pk: int
    account_id: str
    event_type: str
    payload: str
    batch_limit: int | None


@dataclass(frozen=True)
class OutgoingRequest:
    """One request: the URL, ready to be requested, and the entries whose events it carries.

    `url` is complete and percent-encoded; its query holds shoppers' data. `account_id` and `event_type` are in its
    path. `entry_ids` are the entries' primary keys, `payloads` their events' JSON in the same order.
    """

    url: str = field(repr=False)
    account_id: str
    event_type: str
    entry_ids: tuple[int, ...]
    payloads: tuple[str, ...] = field(repr=False)

    @property
    def shared(self) -> bool:
        """Whether it carries more than one entry."""
        return len(self.entry_ids) > 1


@dataclass(frozen=True)
class Packing:
    """Packs by the settings ENDPOINT, CALLBACK, BATCH_SIZE and MAX_URL_LENGTH (bytes)."""

    endpoint: str
    callback: str | None
    batch_size: int
    max_url_length: int

    def pack(self, entries: Iterable[Packable]) -> list[OutgoingRequest]:
        """Put every entry into exactly one request. Within an account, type and batch limit, the order is kept."""
        ordered = sorted(entries, key=self._group)
        return [
            self._request(batch) for group, members in groupby(ordered, self._group)
            for batch in self._batches(group[-1], members)
        ]  # fmt: skip

    def _group(self, entry: Packable) -> tuple[str, str, int]:
        return entry.account_id, entry.event_type, min(entry.batch_limit or self.batch_size, self.batch_size)

    def _batches(self, limit: int, entries: Iterable[Packable]) -> Iterator[list[tuple[Packable, str]]]:
        batch: list[tuple[Packable, str]] = []
        length = 0
        for entry in entries:
            quoted = _quoted(entry.payload)
            if not batch:
                length = len(self._url(entry, ""))
            elif len(batch) >= limit or length + len(SEPARATOR) + len(quoted) > self.max_url_length:
                yield batch
                batch, length = [], len(self._url(entry, ""))
            length += len(quoted) + (len(SEPARATOR) if batch else 0)
            batch.append((entry, quoted))
        yield batch

    def _request(self, batch: Sequence[tuple[Packable, str]]) -> OutgoingRequest:
        first = batch[0][0]
        return OutgoingRequest(
            url=self._url(first, SEPARATOR.join(quoted for _entry, quoted in batch), random.randint(0, LARGEST_TS)),  # noqa: S311
            account_id=first.account_id,
            event_type=first.event_type,
            entry_ids=tuple(entry.pk for entry, _quoted in batch),
            payloads=tuple(entry.payload for entry, _quoted in batch),
        )

    def _url(self, entry: Packable, quoted: str, ts: int = LARGEST_TS) -> str:
        callback = "" if self.callback is None else f"&callback={quote_plus(self.callback)}"
        path = f"{self.endpoint.rstrip('/')}/{entry.account_id}/{entry.event_type}"
        return f"{path}?data={OPENING}{quoted}{CLOSING}{callback}&ts={ts}"


def _quoted(payload: str) -> str:
    """The same as `quote_plus`, but several times as fast for ASCII, which a payload always is: it was recorded so."""
    return payload.translate(QUOTED) if payload.isascii() else quote_plus(payload)


QUOTED = [quote_plus(chr(code)) for code in range(128)]
OPENING, SEPARATOR, CLOSING = quote_plus("["), quote_plus(","), quote_plus("]")


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine: localhost, 127.0.0.0/8 or ::1."""
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=8)
def is_readable_on_the_way(url: str) -> bool:
    """Whether others could read what is sent to `url`: it is not https, and not for this machine."""
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() != "https" and not is_loopback(parts.hostname or "")
    except ValueError:
        # A malformed URL may go anywhere.
        return True
