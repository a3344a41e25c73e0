"""Background threads for dispatchers: one for each database, from its first wake until nothing is left to do.

The thread dispatcher delivers in them. The dispatchers of queues publish in them, because a broken broker must not hold
up the checkout: if it is down, Celery's `delay()` takes over a second; if it hangs, `delay()` never returns.
"""

from __future__ import annotations

import abc
import atexit
import contextvars
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

logger = logging.getLogger(__name__)

LINGER = (
    5.0  # seconds that a thread keeps its connections after its last work: in a busy shop the next event comes soon
)
LAST_WAIT = 2.0  # seconds that a process which ends waits for work in progress


class BackgroundTask(abc.ABC):
    """The work that one thread does for one database. All methods except `stop` are called in that thread."""

    @abc.abstractmethod
    def run(self) -> float | None:
        """Do the work that there is now. Returns the seconds until there is more, or None if nothing is left."""

    @abc.abstractmethod
    def close(self) -> None:
        """Free the connections that `run` opened. The next `run` opens them again."""

    def stop(self) -> None:  # noqa: B027 - `run` may be quick anyway
        """Make `run` return soon, because the process ends. Another thread calls this."""


class BackgroundThreads:
    """The threads of this process, one for each database. A forked child has none and starts its own.

    `make` makes the task for a database alias. `name` is part of the threads' names.
    """

    def __init__(self, name: str, make: Callable[[str], BackgroundTask]) -> None:
        self._name = name
        self._make = make
        self.forget()
        os.register_at_fork(after_in_child=self.forget)
        atexit.register(self.stop)

    def forget(self) -> None:
        """Start with no threads, as a new process does."""
        self._changed = threading.Condition()
        self._running: dict[str, _Running] = {}
        self._said: set[tuple[str, str]] = set()

    def wake(self, using: str) -> bool:
        """Wake the database's thread. Returns False if none runs."""
        with self._changed:
            running = self._running.get(using)
            if running is None:
                return False
            running.woken = True
            self._changed.notify_all()
            return True

    def start(self, using: str) -> None:
        """Wake the database's thread, or start it if none runs. Returns at once."""
        with self._changed:
            if not self.wake(using):
                # Use an empty context: free-threaded Python would copy the caller's, with the request being served.
                run = contextvars.Context().run
                name = f"{self._name}-{using}"
                thread = threading.Thread(target=run, args=(self._run, using), name=name, daemon=True)
                running = _Running(self._make(using), thread)
                self._running[using] = running
                try:
                    thread.start()
                except BaseException:
                    # No thread can be started. The next wake tries again.
                    self._remove(using)
                    raise

    def stop(self, seconds: float = LAST_WAIT) -> None:
        """Let all threads finish their current work, and wait for them at most `seconds`."""
        with self._changed:
            all_running = list(self._running.values())
            for running in all_running:
                running.stopped = True
                running.task.stop()
            self._changed.notify_all()
        end = time.monotonic() + seconds
        for running in all_running:
            running.thread.join(max(0.0, end - time.monotonic()))

    def say_once(self, level: int, words: str, using: str) -> None:
        """Log `words`, in which %s stands for the database, once per process and database."""
        with self._changed:
            said = (words, using) in self._said
            self._said.add((words, using))
        if not said:
            logger.log(level, words, using)

    def _run(self, using: str) -> None:
        running = self._running[using]
        try:
            while True:
                running.woken = False
                seconds = running.task.run()
                if not self._sleep(using, running, seconds):
                    return
        except BaseException as error:  # noqa: BLE001 - nobody else would hear of it
            # First of all: were it taken to run still, no wake of this process would start another. A handler of the
            # project's log may raise as well.
            self._remove(using)
            logger.error("The thread %s ended: %s", threading.current_thread().name, type(error).__name__)
        finally:
            _close(running.task)

    def _sleep(self, using: str, running: _Running, seconds: float | None) -> bool:
        """Sleep until there is something to do. Returns False if the thread must end."""
        linger = LINGER if seconds is None else min(seconds, LINGER)
        if self._is_woken(running, linger):
            return True
        if seconds is not None:
            if seconds > linger:
                # In an outage the thread sleeps for hours, and must not occupy a connection of a pool or the server.
                _close(running.task)
                self._is_woken(running, seconds - linger)
            if not running.stopped:
                return True
        with self._changed:
            # Remove it under the lock, so that a wake that comes now finds no thread and starts one.
            if not running.woken:
                self._remove(using)
            return running.woken

    def _is_woken(self, running: _Running, seconds: float) -> bool:
        """Wait up to `seconds` for a wake or a stop. Returns True if a wake came."""
        with self._changed:
            self._changed.wait_for(lambda: running.woken or running.stopped, seconds)
            return running.woken

    def _remove(self, using: str) -> None:
        with self._changed:
            del self._running[using]


@dataclass(eq=False)
class _Running:
    """A thread and its task."""

    task: BackgroundTask
    thread: threading.Thread
    woken: bool = False
    stopped: bool = False


def _close(task: BackgroundTask) -> None:
    try:
        task.close()
    except Exception as error:  # noqa: BLE001 - a failed close is harmless
        logger.debug("Closing what a background thread used raised %s", type(error).__name__)
