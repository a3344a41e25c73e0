"""Keeps the vendor's query, which holds shoppers' data, out of the HTTP library's log records.

urllib3 logs the path and query of every request at DEBUG, and of one whose answer has odd headers at WARNING.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

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
