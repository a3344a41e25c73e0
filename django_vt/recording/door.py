"""The one door: all that is recorded comes in here, whoever calls."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from django.db import connections, transaction
from django.db.transaction import TransactionManagementError

from django_vt.conf import settings
from django_vt.recording import event_loop
from django_vt.recording.shield import Shield
from django_vt.recording.shield import logger as recording_logger

R = TypeVar("R")


def enter(what: object, using: str | None, carry_out: Callable[[Shield], R], *, level: int = logging.ERROR) -> R | None:
    """Carry it out under a shield, and on an event loop in a thread; not at all where ENABLED is False.

    `what` is what the log calls it, `using` the database alias if the caller named one. A transaction that was broken
    before is left as it is: not one statement is sent.
    """
    if not settings.ENABLED:
        return None
    if event_loop.runs_here():
        return event_loop.in_thread(lambda: enter(what, using, carry_out, level=level))
    be_heard()
    with Shield(what, using, level=level) as shield:
        if shield.was_broken_before:
            raise TransactionManagementError("the transaction was broken before")
        return carry_out(shield)
    return None


@contextmanager
def savepoints(using: str) -> Iterator[None]:
    """A savepoint, or a transaction, on `using`, and a savepoint in each other transaction that is open.

    For code of the shop's: its queries may fail, on whatever database, without harm to the order.
    """
    with ExitStack() as stack:
        for connection in connections.all(initialized_only=True):
            if connection.in_atomic_block and connection.alias != using:
                stack.enter_context(transaction.atomic(using=connection.alias))
        stack.enter_context(transaction.atomic(using=using))
        yield


def be_heard() -> None:
    """Undo what `disable_existing_loggers` in LOGGING did to this package's loggers.

    `runserver` sets up logging a second time, when they exist; a lost order would then be lost without a word. What
    LOGGING says of their levels and handlers stays.
    """
    if not recording_logger.disabled:
        return
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and name.partition(".")[0] == "django_vt":
            logger.disabled = False
