"""One clock for all workers: the database's, in milliseconds since 1970 UTC.

A worker reads it once a pass and goes on by its own monotonic clock. So neither another machine's clock, nor a time
zone, nor summer time can matter.
"""

from __future__ import annotations

import time
from contextlib import suppress

from django.db import connections

from django_vt.models.db import with_retries

# Each in UTC whatever the session's time zone: MariaDB's UNIX_TIMESTAMP(NOW()) is ambiguous when summer time ends.
MILLISECONDS = {
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)",
    "mysql": "UNIX_TIMESTAMP() * 1000 + MICROSECOND(UTC_TIMESTAMP(3)) DIV 1000",
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
}


def database_now(using: str) -> int:
    """What the database's clock says, in milliseconds since 1970 UTC: one query."""
    return with_retries(lambda: read_milliseconds(using), using)


def read_milliseconds(using: str) -> int:
    """Ask the database once."""
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {MILLISECONDS[connection.vendor]}")
        return int(cursor.fetchone()[0])


def elapsed() -> float:
    """This machine's seconds since some moment: never set back, and going on while the machine is suspended."""
    boot_time: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    if boot_time is not None:
        # WebAssembly names this clock and has none.
        with suppress(OSError):
            return time.clock_gettime(boot_time)
    return time.monotonic()


class Clock:
    """The database's clock as one worker knows it: `read` asks the database, `now` goes on from there."""

    def __init__(self, using: str) -> None:
        self._using = using
        self._read_at = 0.0
        self._told = 0

    def read(self) -> int:
        """Ask the database. What `now` gives begins here."""
        # Before the question, so that `now` is late rather than early: no lease is taken to last longer than it does.
        before = elapsed()
        self._told = database_now(self._using)
        self._read_at = before
        return self._told

    def now(self) -> int:
        """Milliseconds since 1970 UTC of the database's clock; asks it if nobody has yet."""
        if not self._told:
            return self.read()
        return self._told + round((elapsed() - self._read_at) * 1000)
