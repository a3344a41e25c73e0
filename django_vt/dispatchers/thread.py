"""A dispatcher that delivers from a daemon thread of the web process: the default, with nothing else to run."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time

from django.core.checks import CheckMessage

from django_vt.delivery.deliver import backend_class
from django_vt.delivery.worker import Worker
from django_vt.dispatchers import _platform
from django_vt.dispatchers.base import Dispatcher

logger = logging.getLogger(__name__)

LAST_WAIT = 2.0  # seconds that the end of a process waits for the requests in hand


SQLITE_UNSAFE = (
    "Events wait for `manage.py send_pending`: a second writer on SQLite fails the shop's own transactions unless "
    'DATABASES["%s"]["OPTIONS"] has "transaction_mode": "IMMEDIATE"'
)
UWSGI_WITHOUT_THREADS = (
    "Events of the database %s wait for `manage.py send_pending`: uWSGI runs no threads unless its configuration has "
    "`enable-threads = true`, so the thread dispatcher does not start. Set that, or choose another DISPATCHER."
)


class ThreadDispatcher(Dispatcher):
    """One daemon thread a process and database: sleeps until something is due, ends when nothing is pending."""

    def wake(self, using: str) -> None:
        """Have the thread look now; start it where none runs."""
        if _platform.is_unsafe_sqlite(using):
            _threads.say_once(logging.WARNING, SQLITE_UNSAFE, using)
        elif not _threads.wake(using):
            _start(using)

    def start(self, using: str) -> None:
        """Look for what an earlier process left."""
        self.wake(using)

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """Warns of an SQLite database on which it does not start."""
        return _platform.check_sqlite()


def _start(using: str) -> None:
    if _platform.uwsgi_threads_are_off():
        _threads.say_once(logging.ERROR, UWSGI_WITHOUT_THREADS, using)
    else:
        # Not by the thread: a process that forks while another thread imports leaves its child the lock of the import,
        # which nobody opens there any more.
        backend_class()
        _threads.start(using)


class DeliveryThreads:
    """The threads of this process, a database each. A forked child has none and starts its own."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As in a new process."""
        self._lock = threading.Lock()
        self._workers: dict[str, tuple[Worker, threading.Thread]] = {}
        self._said: set[tuple[str, str]] = set()

    def wake(self, using: str) -> bool:
        """Wake the database's worker; False where none runs."""
        with self._lock:
            if using not in self._workers:
                return False
            self._workers[using][0].wake()
            return True

    def start(self, using: str) -> None:
        """Start a worker, unless another thread was quicker."""
        with self._lock:
            if using in self._workers:
                self._workers[using][0].wake()
                return
            worker = Worker(using)
            thread = threading.Thread(target=self._run, args=(worker,), name=f"django-vt-{using}", daemon=True)
            thread.start()
            self._workers[using] = worker, thread

    def stop(self, seconds: float = LAST_WAIT) -> None:
        """Let all finish the request in hand, and wait for that no longer than `seconds`."""
        with self._lock:
            running = list(self._workers.values())
        for worker, _thread in running:
            worker.stop()
        end = time.monotonic() + seconds
        for _worker, thread in running:
            thread.join(max(0.0, end - time.monotonic()))

    def say_once(self, level: int, words: str, using: str) -> None:
        """Log it, once a process and database."""
        with self._lock:
            said = (words, using) in self._said
            self._said.add((words, using))
        if not said:
            logger.log(level, words, using)

    def _run(self, worker: Worker) -> None:
        try:
            while not self._ends(worker, worker.run_once()):
                pass
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            logger.error("The delivery thread ended: %s", type(error).__name__)
            self._remove(worker)
        finally:
            worker.close()

    def _ends(self, worker: Worker, seconds: float | None) -> bool:
        """Whether the thread has come to its end; it sleeps here when it has not."""
        with self._lock:
            if worker.stopped or (seconds is None and not worker.woken):
                # Under the lock: a wake that comes now finds no worker and starts one.
                del self._workers[worker.using]
                return True
        if seconds is not None:
            # In an outage it sleeps for hours, and would keep one of a pool, or of those the server allows.
            worker.close()
            worker.sleep(seconds)
        return False

    def _remove(self, worker: Worker) -> None:
        with self._lock:
            del self._workers[worker.using]


_threads = DeliveryThreads()
os.register_at_fork(after_in_child=_threads.forget)
atexit.register(_threads.stop)
