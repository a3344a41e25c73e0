"""One clock for all workers: the database's, in milliseconds since 1970 UTC.

A worker reads it once a pass, and adds the time that its own monotonic clock has measured since. So other machines'
clocks, time zones and summer time do not matter.
"""

from __future__ import annotations

import time
from contextlib import suppress

from django.db import connections

from django_vt.models.db import with_retries

# All in UTC, whatever the session's time zone: MariaDB's UNIX_TIMESTAMP(NOW()) is ambiguous when summer time ends.
MILLISECONDS = {
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)",
    "mysql": "UNIX_TIMESTAMP() * 1000 + MICROSECOND(UTC_TIMESTAMP(3)) DIV 1000",
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
}


def database_now(using: str) -> int:
    """The time of the database's clock, in milliseconds since 1970 UTC: one query, with retries."""
    return with_retries(lambda: read_milliseconds(using), using)


def read_milliseconds(using: str) -> int:
    """The same without retries."""
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {MILLISECONDS[connection.vendor]}")
        return int(cursor.fetchone()[0])


def elapsed() -> float:
    """Seconds of a clock of this machine that is never set back, and that goes on while the machine is suspended."""
    boot_time: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    if boot_time is not None:
        # WebAssembly defines the constant but lacks the clock.
        with suppress(OSError):
            return time.clock_gettime(boot_time)
    return time.monotonic()


class Clock:
    """One worker's copy of the database's clock: `read` asks the database, `now` adds the time elapsed since."""

    def __init__(self, using: str) -> None:
        self._using = using
        self._read_at = 0.0
        self._told = 0

    def read(self) -> int:
        """Ask the database, and let `now` count from its answer."""
        # Taken before the query, so that `now` errs on the late side: no lease seems to last longer than it does.
        before = elapsed()
        self._told = database_now(self._using)
        self._read_at = before
        return self._told

    def now(self) -> int:
        """The database's time in milliseconds since 1970 UTC; asks the database if `read` was never called."""
        if not self._told:
            return self.read()
        return self._told + round((elapsed() - self._read_at) * 1000)
