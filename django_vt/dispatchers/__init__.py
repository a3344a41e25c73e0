"""Who runs delivery, and when: the setting DISPATCHER.

A dispatcher is only ever told that something may be due. What is due stands in the send log: a wake that is lost
delays an event and loses none.
"""

from __future__ import annotations

import logging
import os

from django.utils.module_loading import import_string

from django_vt.conf import settings
from django_vt.dispatchers.base import Dispatcher
from django_vt.models.db import default_alias

__all__ = ["Dispatcher", "current", "start_with_first_request", "wake"]

logger = logging.getLogger(__name__)


class _FirstRequest:
    """Whether this process has served one; a forked child has not."""

    def __init__(self) -> None:
        self.is_served = False

    def forget(self) -> None:
        self.is_served = False


first_request = _FirstRequest()
os.register_at_fork(after_in_child=first_request.forget)


def current() -> Dispatcher:
    """The dispatcher of the settings."""
    dispatcher: Dispatcher = import_string(settings.DISPATCHER)()
    return dispatcher


def wake(using: str) -> None:
    """Something on that database may be due. Never raises: the shopper's order is committed already."""
    try:
        current().wake(using)
    except Exception as error:  # noqa: BLE001 - a project may have written it
        logger.error(
            "%s could not be woken (%s); events wait for the next wake or `send_pending`",
            settings.DISPATCHER, type(error).__name__,
        )  # fmt: skip


def start_with_first_request() -> None:
    """Called at the start of each request: at a process's first one, what an earlier process left is looked for."""
    if first_request.is_served:
        return
    first_request.is_served = True
    if not settings.ENABLED:
        return
    try:
        current().start(default_alias())
    except Exception as error:  # noqa: BLE001 - a project may have written it
        logger.error("%s could not be started: %s", settings.DISPATCHER, type(error).__name__)
