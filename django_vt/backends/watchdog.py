"""The thread that ends requests which have exceeded their deadline: one for all that a backend has under way.

A thread for each request, as `threading.Timer` starts, would take as long as many a request.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

Alarm = Callable[[], None]


class Watchdog:
    """Calls alarms when their time has come. Its thread starts with the first and ends when none is set, or closed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._alarms: dict[Alarm, float] = {}
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def set(self, alarm: Alarm, seconds: float) -> None:
        """Call it after so many seconds, from another thread."""
        at = time.monotonic() + seconds
        with self._changed:
            self._alarms[alarm] = at
            if self._thread is None:
                thread = threading.Thread(target=self._watch, name="django-vt-watchdog", daemon=True)
                thread.start()
                self._thread = thread
            elif at < self._wakes_at:
                self._changed.notify()

    def cancel(self, alarm: Alarm) -> None:
        """Not any more. The thread is left to find that out by itself."""
        with self._changed:
            self._alarms.pop(alarm, None)

    def close(self) -> None:
        """Cancel all, and end the thread."""
        with self._changed:
            thread = self._thread
            self._alarms.clear()
            self._changed.notify()
        if thread is not None:
            thread.join()

    def _watch(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                passed = [alarm for alarm, at in self._alarms.items() if at <= now]
                for alarm in passed:
                    del self._alarms[alarm]
                if not passed and not self._alarms:
                    self._thread = None
                    return
                if not passed:
                    self._wakes_at = min(self._alarms.values())
                    self._changed.wait(self._wakes_at - now)
            for alarm in passed:
                _sound(alarm)


def _sound(alarm: Alarm) -> None:
    try:
        alarm()
    except Exception as error:  # noqa: BLE001 - the other deadlines need this thread
        logger.error("A request's deadline could not be kept: %s", type(error).__name__)
