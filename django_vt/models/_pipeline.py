"""A new row on PostgreSQL with psycopg 3: savepoint, INSERT and release in one round trip, and no value in any text.

The values travel beside the statement, as parameters that the server binds. If the INSERT fails or is cancelled, the
server writes the statement into its log, but not its parameters: `log_parameter_max_length_on_error` is 0 by default,
from PostgreSQL 13 to 17. Statements of which the driver fills in the values would be there with the buyer's address.

psycopg's own pipeline mode would do the same in twice the time; what is used here is libpq's, which it offers.
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
    """A cursor for Django to wrap: it takes statements that are separated by `; `, of which one has the parameters.

    It fetches the row that this one has returned.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._driver: Any = connection.Database  # type: ignore[attr-defined]
        self._connection: Any = connection.connection
        self._row: tuple[int] | None = None
        # Where Django looks for what to log, and to count in tests: the statement, without its values.
        self._query = SimpleNamespace(query=None)

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> None:
        """Send all of them, and raise the first error."""
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
        """The row that was returned; None where the INSERT has passed over a key that is taken."""
        return self._row

    def close(self) -> None:
        """Nothing is held."""

    def _exchange(self, statements: list[bytes], values: list[bytes | None]) -> Generator[Any, Any, list[Any]]:
        """As psycopg's own generators: it yields what it waits for, so that gevent and Ctrl-C have their turn."""
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
            # Interrupted, it would be left in the middle of an answer: whatever comes next would take it for its own.
            wire.exit_pipeline_mode() if is_complete else wire.finish()
        return results

    def _takes_last(self, wire: Any, results: list[Any]) -> bool:
        """Take a result where there is one; whether it was the last."""
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
    """One for several statements at once, that counts, logs and translates errors as Django's do."""
    raw: Any = Pipeline(connection)
    return connection.make_debug_cursor(raw) if connection.queries_logged else connection.make_cursor(raw)


def is_possible(connection: BaseDatabaseWrapper) -> bool:
    """Whether the driver is psycopg 3 on a libpq that has pipelines, 14 or later.

    A cursor of the project's own may do anything with statements: then there is none.
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
    """With `$1` for the first `%s`, and so on; and how many."""
    first, *others = statement.split(b"%s")
    numbered = b"".join(b"$%d%b" % (number, text) for number, text in enumerate(others, start=1))
    return first + numbered, len(others)


def _as_text(value: Any, encoding: str) -> bytes | None:
    if value is None:
        return None
    return (value.isoformat(" ") if isinstance(value, datetime) else str(value)).encode(encoding)
