"""Which database the send log is on, and whose transaction is open there."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from django.db import DEFAULT_DB_ALIAS, connections, router, transaction


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
