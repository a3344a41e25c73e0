"""The query, which holds shoppers' data, joins a request where it is written to the wire, and not before.

Whatever watches requests takes the address from the arguments of what it wraps: Sentry from `http.client`'s
`putrequest`, OpenTelemetry, Datadog, New Relic and Elastic from urllib3's `urlopen` or requests' `Session`, which is
not asked; and urllib3's own log and the texts of its errors have it from there. None sees what is not there.
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


# Keeps the vendor's query, which holds shoppers' data, out of the HTTP library's log records.
#
# urllib3 logs the path and query of every request at DEBUG, and of one whose answer has odd headers at WARNING.
#

LOGGERS = ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry", "urllib3.poolmanager")

_in_force: ContextVar[bool] = ContextVar("django_vt_discretion", default=False)


class QueryFilter(logging.Filter):
    """Cuts queries off the arguments of records that are made while one of our requests is under way."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without what may not be in it."""
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
    """For the time of the block, in this thread."""
    # Each time: a project's logging configuration may have come, or come again, since the last.
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_filter)
    token = _in_force.set(True)
    try:
        yield
    finally:
        _in_force.reset(token)
