"""What a worker does when the database refuses a statement for a reason that passes: a deadlock, a restart."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connections

logger = logging.getLogger(__name__)

R = TypeVar("R")

PAUSES = (0.05, 0.5, 2.0)  # seconds before another try

_sleep = threading.Event().wait


def persistently(function: Callable[[], R], using: str) -> R:
    """Call it, and call it again where the database refuses: three times more, over two and a half seconds.

    For what can be done twice: a worker's verbs name its claim, and find nothing left to do the second time. What the
    vendor has answered is stored only here, so that giving up at once would have events sent again for nothing.
    """
    for pause in PAUSES:
        try:
            return function()
        except (OperationalError, InterfaceError) as error:
            connection = connections[using]
            if connection.in_atomic_block:
                raise
            # The class only: the text can hold a row.
            logger.info("The send log could not be written, trying again: %s", type(error).__name__)
            connection.close_if_unusable_or_obsolete()
        _sleep(pause)
    return function()
