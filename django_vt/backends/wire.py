"""The query, which holds shoppers' data, joins a request where it is written to the wire, and not before.

Whatever watches requests takes the address from the arguments of what it wraps: Sentry from `http.client`'s
`putrequest`, OpenTelemetry, Datadog, New Relic and Elastic from urllib3's `urlopen` or requests' `Session`, which is
not asked; and urllib3's own log and the texts of its errors have it from there. None sees what is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from urllib3.connection import HTTPConnection


class _Query:
    def __init__(self, text: str) -> None:
        self.text = text
        self.is_written = False


_current: ContextVar[_Query | None] = ContextVar("django_vt_query", default=None)


@contextmanager
def query_on_the_wire(text: str) -> Iterator[None]:
    """The request made in the block, to an address without a query, goes out with this one (percent-encoded)."""
    token = _current.set(_Query(text))
    try:
        yield
    finally:
        _current.reset(token)


class DiscreetConnection(HTTPConnection):
    """Writes the query of `query_on_the_wire` into the request line."""

    def request(self, *args: Any, **options: Any) -> None:
        """As in urllib3. `RuntimeError` where the query could not be written: a Python that writes otherwise."""
        super().request(*args, **options)
        query = _current.get()
        if query is not None and not query.is_written:
            raise RuntimeError("the query was not written")

    def _encode_request(self, request: str) -> bytes:
        """What `http.client` calls with the request line, in all supported versions of Python."""
        query = _current.get()
        if query is not None:
            method, target, version = request.split(" ")
            request = f"{method} {target}?{query.text} {version}"
            query.is_written = True
        return request.encode("ascii")
