"""Wakes on their way to a queue, published by a thread of their own: a broker that is down never holds the checkout.

With its broker down Celery's `delay()` takes over a second, with one that hangs it may never return.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading

from django.db import connections

from django_vt.dispatchers import _platform

logger = logging.getLogger(__name__)

IDLE = 5.0  # seconds without a wake after which the thread ends and its connections are closed
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds between two attempts while the queue cannot be reached
LAST_WAIT = 2.0  # seconds that the end of a process waits for what is being published
UWSGI_WITHOUT_THREADS = (
    "No worker can be woken, events wait for `manage.py send_pending`: uWSGI runs no threads unless its configuration "
    "has `enable-threads = true`."
)


class Publisher:
    """One daemon thread a process that publishes wakes, one pending wake a database at most.

    It starts with a wake and ends when none has come for a while. What cannot be published is tried again as long as
    the process lives, ever less often; a wake that is lost with the process delays events and loses none.
    """

    def __init__(self) -> None:
        self.forget()
        os.register_at_fork(after_in_child=self.forget)
        atexit.register(self.finish)

    def publish(self, using: str) -> None:
        """Put a wake for the database `using` on the queue, within seconds; raise where that fails."""
        raise TypeError(f"{type(self).__name__} does not say how to publish")

    def close(self) -> None:
        """Free what `publish` opened. Called in the thread, at its end and after each failure."""

    def forget(self) -> None:
        """As in a new process: a forked child has neither the thread nor its wakes."""
        self._changed = threading.Condition()
        self._pending: dict[str, None] = {}
        self._thread: threading.Thread | None = None
        self._finishing = False
        self._failures = 0

    def wake(self, using: str) -> None:
        """Have a wake published soon. Returns at once."""
        with self._changed:
            self._pending[using] = None
            self._changed.notify_all()
            if self._thread is None:
                self._start()

    def finish(self, seconds: float = LAST_WAIT) -> None:
        """Publish what is pending and end; wait for that no longer than `seconds`."""
        with self._changed:
            thread, self._finishing = self._thread, True
            self._changed.notify_all()
        if thread is not None:
            thread.join(seconds)

    def _start(self) -> None:
        if _platform.uwsgi_threads_are_off():
            self._pending.clear()
            logger.log(logging.DEBUG if self._failures else logging.ERROR, UWSGI_WITHOUT_THREADS)
            self._failures += 1
            return
        self._finishing = False
        thread = threading.Thread(target=self._run, name="django-vt-publish", daemon=True)
        thread.start()
        self._thread = thread

    def _run(self) -> None:
        while True:
            while (using := self._next()) is not None:
                if not self._published(using):
                    self._put_off(using)
            # While this is still the thread: the next one would publish over what is being closed.
            self._close()
            with self._changed:
                # Under the lock: a wake that comes now finds no thread and starts one.
                if not self._pending:
                    self._thread = None
                    return

    def _next(self) -> str | None:
        """The database whose wake comes next; None: none came for a while, or the process ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._finishing, IDLE)
            if not self._pending:
                return None
            # Taken off first: a wake that comes while this one is published is another.
            using = next(iter(self._pending))
            del self._pending[using]
            return using

    def _published(self, using: str) -> bool:
        try:
            self.publish(using)
        except Exception as error:  # noqa: BLE001 - brokers and their clients raise anything
            # Once an outage, and by its class only: the text can hold the broker's address and password.
            level = logging.DEBUG if self._failures else logging.ERROR
            logger.log(level, "No worker could be woken, trying again: %s; events wait", type(error).__name__)
            self._failures += 1
            self._close()
            return False
        if self._failures:
            logger.info("Workers can be woken again")
        self._failures = 0
        return True

    def _put_off(self, using: str) -> None:
        """Wait before the next attempt; the end of the process gives it up."""
        wait = min(FIRST_WAIT * 2 ** min(self._failures - 1, 10), LONGEST_WAIT)
        with self._changed:
            self._pending[using] = None
            if self._changed.wait_for(lambda: self._finishing, wait):
                self._pending.clear()

    def _close(self) -> None:
        try:
            self.close()
        except Exception as error:  # noqa: BLE001 - what cannot be closed is let go
            logger.debug("Closing what published wakes raised %s", type(error).__name__)
        connections.close_all()
