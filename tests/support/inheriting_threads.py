"""Threads as free-threaded Python 3.14 starts them, in any Python."""

from __future__ import annotations

import contextvars
import threading
from typing import Any


class InheritingThread(threading.Thread):
    """Runs in a copy of the context of whoever makes it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._of_its_maker = contextvars.copy_context()

    def run(self) -> None:
        self._of_its_maker.run(super().run)
