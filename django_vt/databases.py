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
