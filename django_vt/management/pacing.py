"""The pace of commands that change many rows: short transactions, and the shop's turn between them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 0.05  # seconds that a transaction is to take: an order may have to wait for it
FEWEST = 20  # rows
LONGEST_REST = 1.0

_rest = threading.Event().wait


class Pace:
    """How many rows the next transaction may change: at most `rows`, and fewer where these take too long.

    On SQLite, where one connection writes at a time, whoever waits looks only now and then whether it is free. So
    after each transaction there is a rest, as long as the transaction was.
    """

    def __init__(self, rows: int) -> None:
        self._most = rows
        self._rows = rows

    @contextmanager
    def transaction(self) -> Iterator[int]:
        """For the time of one transaction, which gets the number of its rows."""
        begun = time.monotonic()
        yield self._rows
        took = time.monotonic() - begun
        if took > LONGEST:
            self._rows = max(min(FEWEST, self._most), self._rows // 2)
        elif took < LONGEST / 3:
            self._rows = min(self._most, self._rows * 2)
        _rest(min(took, LONGEST_REST))
