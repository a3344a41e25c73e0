"""The shop comes first: errors of this app go to the log, not to the shopper."""

from __future__ import annotations

import logging
from types import TracebackType

from django.db import connections
from django.db.transaction import TransactionManagementError

from django_vt.conf import settings
from django_vt.models.db import default_alias
from django_vt.recording.database_errors import described
from django_vt.recording.telling import tell

# The documented name: all failures to record are logged under it.
logger = logging.getLogger("django_vt.recording")

IN_FAILED_TRANSACTION, BROKEN_CONNECTION = 3, 4  # libpq's PQTRANS_INERROR and PQTRANS_UNKNOWN


class Shield:
    """Logs an error in its block, by class and code only, and swallows it; raises it if FAIL_SILENTLY is False.

    An error that has broken an open transaction is raised too. Otherwise it would surface later and elsewhere, or
    never, and nothing in the transaction would be kept. `level` is the logging level.
    """

    def __init__(self, what: object, using: str | None = None, *, level: int = logging.ERROR) -> None:
        self._what = what  # its `str` may be costly: call it only if something is logged
        self._using = using
        self._level = level
        self._is_open = False

    def open(self) -> None:
        """Raise the next error: otherwise the order would be committed without an entry, unnoticed."""
        self._is_open = True

    def __enter__(self) -> Shield:
        self._doomed_before = self._doomed()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if error is None and self._doomed() - self._doomed_before:
            # What a handler of the project's log asked the database has failed, and nobody has said so.
            raise TransactionManagementError("the transaction was broken while an event was recorded")
        if not isinstance(error, Exception) or self._is_open or self.lets_through():
            return False
        # Neither the text nor the traceback: both can hold a shopper's address.
        tell(logger, self._level, "Could not record %s: %s", str(self._what), described(error))
        # Once more: to name it, and to log it, can have run code of the shop's.
        return not self.lets_through()

    def lets_through(self) -> bool:
        """Whether an error must reach the shop, whatever its class: a project may wrap database errors in its own."""
        return not settings.FAIL_SILENTLY or bool(self._doomed() - self._doomed_before)

    @property
    def was_broken_before(self) -> bool:
        """Whether the entry's transaction was already broken, and could only roll back, when the shop called."""
        return (self._using or default_alias()) in self._doomed_before

    def _doomed(self) -> set[str]:
        # The shop's code may break the open transaction of any database, not only of the order's.
        return {
            connection.alias for connection in connections.all(initialized_only=True) if is_doomed(connection.alias)
        }


def is_doomed(using: str) -> bool:
    """Whether an open transaction on that database can only be rolled back.

    Django notes it in `needs_rollback`, except for two cases that only the driver knows. On PostgreSQL, a statement
    failed outside a savepoint, and COMMIT will silently roll back. On SQLite, an error such as a full disk has rolled
    back the whole transaction.
    """
    connection = connections[using]
    if connection.needs_rollback:
        return True
    driver = connection.connection
    if driver is None:
        return False
    if connection.vendor == "postgresql":
        # For psycopg and psycopg2 alike. With autocommit off, a transaction may be open without an `atomic` block.
        is_open = connection.in_atomic_block or not connection.autocommit
        return is_open and int(driver.info.transaction_status) in {IN_FAILED_TRANSACTION, BROKEN_CONNECTION}
    return connection.vendor == "sqlite" and connection.in_atomic_block and not driver.in_transaction
