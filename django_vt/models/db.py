"""Helpers for the send log's database: its alias, transactions, and retries."""

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
    """The alias to use if the caller names none: the one to which the project's routers write the send log."""
    from django_vt.models import SendLogEntry

    return router.db_for_write(SendLogEntry) or DEFAULT_DB_ALIAS


def in_transaction(using: str) -> AbstractContextManager[object]:
    """The caller's open transaction, without a savepoint; if none is open, a new one."""
    return nullcontext() if connections[using].in_atomic_block else transaction.atomic(using=using)


def commit_each_statement(using: str) -> None:
    """Turn autocommit on, for a worker or a command with its own connection in a project that has it off.

    Otherwise none of its work would be committed, and sent events would be sent again. An open transaction is left.
    """
    connection = connections[using]
    if not connection.in_atomic_block and not connection.get_autocommit():
        connection.set_autocommit(True)


# Retries after an error that passes by itself, such as a deadlock or a restart of the database.

logger = logging.getLogger(__name__)

R = TypeVar("R")

PAUSES = (0.05, 0.5, 2.0)  # seconds before another try

_sleep = threading.Event().wait


def with_retries(function: Callable[[], R], using: str) -> R:
    """Call `function`; if the database refuses, call it up to three times more, over two and a half seconds.

    Only for what may be repeated: a worker's verbs filter by its claim, so a second call finds nothing left to do. A
    worker has the vendor's answers only in memory: if it gave up at once, their events would be sent again.
    """
    for pause in PAUSES:
        try:
            return function()
        except (DatabaseError, InterfaceError) as error:
            connection = connections[using]
            if connection.in_atomic_block or not _passes(error):
                raise
            # Log the class only: the text can hold a row.
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
    """Whether the error may pass by itself. psycopg reports a read-only server as an InternalError."""
    if isinstance(error, InternalError):
        return _is_read_only(error)
    return isinstance(error, (OperationalError, InterfaceError))
