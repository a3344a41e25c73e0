"""Inserting a row on PostgreSQL with psycopg 3: savepoint, INSERT and release in one round trip, values as parameters.

The server binds the parameters. If the INSERT fails or is cancelled, the server logs the statement, but not its
parameters: `log_parameter_max_length_on_error` is 0 by default, from PostgreSQL 13 to 17. If the driver filled the
values into the statement, the buyer's address would be in that log.

psycopg's own pipeline mode takes twice the time, so this module uses libpq's, which psycopg exposes.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper


class Pipeline:
    """A cursor for Django to wrap. It executes statements separated by `; `, one of which has the parameters.

    `fetchone` gives the row that this statement returned.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._driver: Any = connection.Database  # type: ignore[attr-defined]
        self._connection: Any = connection.connection
        self._row: tuple[int] | None = None
        # Django reads the statement from here to log it, and to count queries in tests. It holds no values.
        self._query = SimpleNamespace(query=None)

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> None:
        """Send all statements, and raise the first error."""
        self._query.query = sql.encode()
        statements = [statement.encode() for statement in sql.split("; ")]
        encoding = self._connection.info.encoding
        values = [_as_text(value, encoding) for value in parameters or ()]
        for result in self._connection.wait(self._exchange(statements, values)):
            status = self._driver.pq.ExecStatus(result.status)
            if status == self._driver.pq.ExecStatus.TUPLES_OK:
                self._row = (int(result.get_value(0, 0)),) if result.ntuples else None
            elif status != self._driver.pq.ExecStatus.COMMAND_OK:
                raise self._driver.errors.error_from_result(result, encoding=encoding)

    def fetchone(self) -> tuple[int] | None:
        """The row that was returned; None if the INSERT skipped a key that is taken."""
        return self._row

    def close(self) -> None:
        """Do nothing: there is nothing to free."""

    def _exchange(self, statements: list[bytes], values: list[bytes | None]) -> Generator[Any, Any, list[Any]]:
        """Exchange, yielding what it waits for as psycopg's own generators do, so that gevent and Ctrl-C work."""
        wire, waiting = self._connection.pgconn, self._driver.waiting.Wait
        results: list[Any] = []
        is_complete = False
        wire.enter_pipeline_mode()
        try:
            for statement in statements:
                numbered, count = _numbered(statement)
                wire.send_query_params(numbered, values[:count] if count else None)
            wire.pipeline_sync()
            while wire.flush():
                yield waiting.RW
                wire.consume_input()
            while not is_complete:
                while wire.is_busy():
                    yield waiting.R
                    wire.consume_input()
                is_complete = self._takes_last(wire, results)
        finally:
            # If it was interrupted, close the connection: the next statement would read the rest of this answer.
            wire.exit_pipeline_mode() if is_complete else wire.finish()
        return results

    def _takes_last(self, wire: Any, results: list[Any]) -> bool:
        """Take the next result, if there is one; returns whether it was the last."""
        result = wire.get_result()
        if result is None:
            if wire.status != self._driver.pq.ConnStatus.OK:
                raise self._driver.OperationalError("the connection is lost")
            return False
        if result.status == self._driver.pq.ExecStatus.PIPELINE_SYNC:
            return True
        results.append(result)
        return False


def cursor(connection: BaseDatabaseWrapper) -> CursorWrapper:
    """A cursor for several statements at once; it counts, logs and translates errors as Django's cursors do."""
    raw: Any = Pipeline(connection)
    return connection.make_debug_cursor(raw) if connection.queries_logged else connection.make_cursor(raw)


def is_possible(connection: BaseDatabaseWrapper) -> bool:
    """Whether the driver is psycopg 3 on a libpq that has pipelines, 14 or later.

    False if the project sets its own cursor class, which may change statements.
    """
    driver: Any = getattr(connection, "Database", None)
    if connection.vendor != "postgresql" or getattr(driver, "__name__", "") != "psycopg":
        return False
    return "cursor_factory" not in connection.settings_dict["OPTIONS"] and driver.Pipeline.is_supported()


def is_open(connection: BaseDatabaseWrapper) -> bool:
    """Whether the shop has one of psycopg's own open: answers to its statements would be taken for those to ours."""
    wire: Any = getattr(connection.connection, "pgconn", None)
    return bool(getattr(wire, "pipeline_status", False))


def _numbered(statement: bytes) -> tuple[bytes, int]:
    """The statement with `$1` for the first `%s`, and so on; and the number of parameters."""
    first, *others = statement.split(b"%s")
    numbered = b"".join(b"$%d%b" % (number, text) for number, text in enumerate(others, start=1))
    return first + numbered, len(others)


def _as_text(value: Any, encoding: str) -> bytes | None:
    if value is None:
        return None
    return (value.isoformat(" ") if isinstance(value, datetime) else str(value)).encode(encoding)
