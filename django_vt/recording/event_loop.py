"""Sync calls on a running event loop: Django's ORM refuses to work there, so a thread does the work instead."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

from django.db import connections

from django_vt.conf import settings
from django_vt.recording.telling import tell

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

_warned = threading.Event()


def runs_here() -> bool:
    """Whether this thread runs an event loop, so that Django would refuse to query."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return not os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")


def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
    """Call `function` in a short-lived thread with its own database connection, in autocommit; warn once a process.

    Returns None if no thread can be started: the process has too many, or is about to end.
    """
    if not _warned.is_set():
        _warned.set()
        tell(
            logger,
            logging.WARNING,
            "An event was recorded by a sync call on a running event loop: outside your transaction, and the loop "
            "waited for the database. Use `await order_placed.asend(...)` or `await atrack(...)` there.",
        )
    result: Future[R] = Future()

    def call() -> None:
        try:
            result.set_result(function(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            result.set_exception(error)
        finally:
            connections.close_all()

    # Copy the caller's context variables: BEFORE_RECORD may ask for the request being served.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(call,), name="django-vt-record")
    try:
        thread.start()
    except RuntimeError as error:
        if not settings.FAIL_SILENTLY:
            raise
        words = "Could not record what a sync call on a running event loop told: %s"
        tell(logger, logging.ERROR, words, type(error).__name__)
        return None
    thread.join()
    return result.result()
