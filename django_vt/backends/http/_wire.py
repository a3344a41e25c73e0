"""Hide the query, which holds shoppers' data: add it to the request only when the request line is written.

Monitoring tools read the URL from the arguments of functions that they wrap: Sentry wraps `http.client`'s `putrequest`;
OpenTelemetry, Datadog, New Relic and Elastic wrap urllib3's `urlopen` or requests' `Session`, which is not used here.
urllib3's log and the texts of its errors take it from there too. None of them gets a query that is not there yet.
"""

from __future__ import annotations

import logging
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
    """Send the request made in the block, whose URL has no query, with this (percent-encoded) query."""
    token = _current.set(_Query(text))
    try:
        yield
    finally:
        _current.reset(token)


class DiscreetConnection(HTTPConnection):
    """Writes the query of `query_on_the_wire` into the request line."""

    def request(self, *args: Any, **options: Any) -> None:
        """As in urllib3. Raises `RuntimeError` if this version of Python did not write the query."""
        super().request(*args, **options)
        query = _current.get()
        if query is not None and not query.is_written:
            raise RuntimeError("the query was not written")

    def _encode_request(self, request: str) -> bytes:
        """Encode the request line; all supported versions of Python call this from `http.client`."""
        query = _current.get()
        if query is not None:
            method, target, version = request.split(" ")
            request = f"{method} {target}?{query.text} {version}"
            query.is_written = True
        return request.encode("ascii")


# Keep the query, which holds shoppers' data, out of urllib3's log records.
#
# urllib3 logs the path and query of every request at DEBUG, and at WARNING if the answer has malformed headers.
#

LOGGERS = ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry", "urllib3.poolmanager")

_in_force: ContextVar[bool] = ContextVar("django_vt_discretion", default=False)


class QueryFilter(logging.Filter):
    """Removes queries from the arguments of records that are made during one of our requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without queries and tracebacks."""
        if _in_force.get():
            record.exc_info = record.exc_text = None
            if isinstance(record.args, tuple):
                record.args = tuple(_discreet(argument) for argument in record.args)
        return True


def _discreet(argument: object) -> object:
    if isinstance(argument, BaseException):
        return type(argument).__name__
    return argument.partition("?")[0] if isinstance(argument, str) else argument


_filter = QueryFilter()


@contextmanager
def queries_kept_out_of_logs() -> Iterator[None]:
    """Keep queries out of logs during the block, in this thread."""
    # Add the filters each time: the project may have configured logging since the last time.
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_filter)
    token = _in_force.set(True)
    try:
        yield
    finally:
        _in_force.reset(token)
