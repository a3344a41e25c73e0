"""The single entry point of recording: every caller passes through `enter`."""

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
    """Call `carry_out` under a `Shield`; in a thread if an event loop runs here; not at all if ENABLED is False.

    `what` is its name in the log, `using` the database alias if the caller gave one. If the transaction was broken
    before, no statement is sent.
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
    """Open a savepoint or transaction on `using`, and a savepoint in every other open transaction.

    Run the shop's code inside: if one of its queries fails, on whatever database, the order is not harmed.
    """
    with ExitStack() as stack:
        for connection in connections.all(initialized_only=True):
            if connection.in_atomic_block and connection.alias != using:
                stack.enter_context(transaction.atomic(using=connection.alias))
        stack.enter_context(transaction.atomic(using=using))
        yield


def be_heard() -> None:
    """Undo what `disable_existing_loggers` in LOGGING did to this package's loggers.

    `runserver` configures logging a second time, when these loggers exist; a lost order would then go unlogged. Their
    levels and handlers stay as LOGGING sets them.
    """
    if not recording_logger.disabled:
        return
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and name.partition(".")[0] == "django_vt":
            logger.disabled = False
