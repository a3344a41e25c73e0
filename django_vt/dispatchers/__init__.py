"""Dispatchers decide where and when the delivery runs: the setting DISPATCHER.

A dispatcher is only told that something may be due. The send log knows what is due, so a lost wake delays events but
loses none.
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
    """Whether this process has served a request; in a forked child this starts anew."""

    def __init__(self) -> None:
        self.is_served = False

    def forget(self) -> None:
        self.is_served = False


first_request = _FirstRequest()
os.register_at_fork(after_in_child=first_request.forget)


def current() -> Dispatcher:
    """A new instance of the class that DISPATCHER names."""
    dispatcher: Dispatcher = import_string(settings.DISPATCHER)()
    return dispatcher


def wake(using: str) -> None:
    """Tell the dispatcher that something on that database may be due. Never raises: the order is committed already."""
    try:
        current().wake(using)
    except Exception as error:  # noqa: BLE001 - a project may have written it
        logger.error(
            "%s could not be woken (%s); events wait for the next wake or `send_pending`",
            settings.DISPATCHER, type(error).__name__,
        )  # fmt: skip


def start_with_first_request() -> None:
    """At a process's first request, look for entries that an earlier process left. Each request calls this."""
    if first_request.is_served:
        return
    first_request.is_served = True
    if not settings.ENABLED:
        return
    try:
        current().start(default_alias())
    except Exception as error:  # noqa: BLE001 - a project may have written it
        logger.error("%s could not be started: %s", settings.DISPATCHER, type(error).__name__)
