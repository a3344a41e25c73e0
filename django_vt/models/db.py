"""Which database the send log is on, and whose transaction is open there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    InternalError,
    OperationalError,
    connections,
    router,
    transaction,
)


def default_alias() -> str:
    """The alias to use where the caller names none: where the project's routers write the send log."""
    from django_vt.models import SendLogEntry

    return router.db_for_write(SendLogEntry) or DEFAULT_DB_ALIAS


def in_transaction(using: str) -> AbstractContextManager[object]:
    """The caller's transaction where one is open, without a savepoint; else one of its own."""
    return nullcontext() if connections[using].in_atomic_block else transaction.atomic(using=using)


def commit_each_statement(using: str) -> None:
    """For whoever works on a connection of its own, a worker or a command, where the project has set autocommit off.

    Else nothing of the work would be kept, and what was sent be sent again. An open transaction stays the project's.
    """
    connection = connections[using]
    if not connection.in_atomic_block and not connection.get_autocommit():
        connection.set_autocommit(True)


# What a worker does when the database refuses a statement for a reason that passes: a deadlock, a restart.

logger = logging.getLogger(__name__)

R = TypeVar("R")

PAUSES = (0.05, 0.5, 2.0)  # seconds before another try

_sleep = threading.Event().wait


def with_retries(function: Callable[[], R], using: str) -> R:
    """Call it, and call it again where the database refuses: three times more, over two and a half seconds.

    For what can be done twice: a worker's verbs name its claim, and find nothing left to do the second time. What the
    vendor has answered is stored only here, so that giving up at once would have events sent again for nothing.
    """
    for pause in PAUSES:
        try:
            return function()
        except (DatabaseError, InterfaceError) as error:
            connection = connections[using]
            if connection.in_atomic_block or not _passes(error):
                raise
            # The class only: the text can hold a row.
            logger.info("The send log could not be written, trying again: %s", type(error).__name__)
            if _is_read_only(error):
                connection.close()  # another connection may lead to the server that takes over
            else:
                connection.close_if_unusable_or_obsolete()
        _sleep(pause)
    return function()


READ_ONLY = "25006"  # read_only_sql_transaction: PostgreSQL after a failover, when the old server has become a replica


def _is_read_only(error: Exception) -> bool:
    cause = error.__cause__
    return READ_ONLY in (getattr(cause, "sqlstate", None), getattr(cause, "pgcode", None))


def _passes(error: Exception) -> bool:
    """Whether the reason may pass by itself; psycopg counts a read-only server among its own internal errors."""
    if isinstance(error, InternalError):
        return _is_read_only(error)
    return isinstance(error, (OperationalError, InterfaceError))
