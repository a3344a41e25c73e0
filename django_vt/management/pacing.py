"""The pace of commands that change many rows: short transactions, and the shop's turn between them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

LONGEST = 0.05  # seconds that a transaction is to take: an order may have to wait for it
FEWEST = 20  # rows
LONGEST_REST = 1.0

_rest = threading.Event().wait


class Pace:
    """How many rows the next transaction may change: at most `rows`, and fewer where these take too long.

    On SQLite, where one connection writes at a time, whoever waits looks only now and then whether it is free. So
    after each transaction there is a rest, as long as the transaction was. What it waited itself for its turn is not
    counted: nobody waits for that, and fewer rows would not make it shorter.
    """

    def __init__(self, rows: int, using: str) -> None:
        self._most = rows
        self._rows = rows
        self._using = using
        self._begun = 0.0

    @contextmanager
    def transaction(self) -> Iterator[int]:
        """For the time of one transaction, which gets the number of its rows."""
        self._begun = time.monotonic()
        with connections[self._using].execute_wrapper(self._notice_begin):
            yield self._rows
        took = time.monotonic() - self._begun
        if took > LONGEST:
            self._rows = max(min(FEWEST, self._most), self._rows // 2)
        elif took < LONGEST / 3:
            self._rows = min(self._most, self._rows * 2)
        _rest(min(took, LONGEST_REST))

    def _notice_begin(self, execute: Callable[..., Any], sql: str, *others: Any) -> Any:
        """Only SQLite is told to begin by a statement, which with IMMEDIATE ends when it has the turn to write."""
        result = execute(sql, *others)
        if sql.startswith("BEGIN"):
            self._begun = time.monotonic()
        return result
