"""A dispatcher that delivers from a daemon thread of the web process: the default, which needs no other process."""

from __future__ import annotations

import logging

from django.core.checks import CheckMessage

from django_vt.delivery.deliver import backend_class
from django_vt.delivery.worker import Worker
from django_vt.dispatchers._background import BackgroundTask, BackgroundThreads
from django_vt.dispatchers._platform import check_sqlite, is_unsafe_sqlite, uwsgi_threads_are_off
from django_vt.dispatchers.base import Dispatcher

SQLITE_UNSAFE = (
    "Events wait for `manage.py send_pending`: a second writer on SQLite fails the shop's own transactions unless "
    'DATABASES["%s"]["OPTIONS"] has "transaction_mode": "IMMEDIATE"'
)
UWSGI_WITHOUT_THREADS = (
    "Events of the database %s wait for `manage.py send_pending`: uWSGI runs no threads unless its configuration has "
    "`enable-threads = true`, so the thread dispatcher does not start. Set that, or choose another DISPATCHER."
)


class ThreadDispatcher(Dispatcher):
    """Runs one daemon thread per process and database. It sleeps until entries are due, and ends if none is pending."""

    def wake(self, using: str) -> None:
        """Wake the thread, or start it if none runs."""
        if is_unsafe_sqlite(using):
            _threads.say_once(logging.WARNING, SQLITE_UNSAFE, using)
        elif not _threads.wake(using):
            _start(using)

    def start(self, using: str) -> None:
        """Look for entries that an earlier process left."""
        self.wake(using)

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """Warn if the thread does not start on the project's SQLite database."""
        return check_sqlite()


def _start(using: str) -> None:
    if uwsgi_threads_are_off():
        _threads.say_once(logging.ERROR, UWSGI_WITHOUT_THREADS, using)
    else:
        # Import here: a fork during an import leaves the child with a held import lock.
        backend_class()
        _threads.start(using)


class _Delivering(BackgroundTask):
    """Delivers on one database. It keeps its connections until `close`."""

    def __init__(self, using: str) -> None:
        self._worker = Worker(using)

    def run(self) -> float | None:
        return None if self._worker.stopped else self._worker.run_once()

    def close(self) -> None:
        self._worker.close()

    def stop(self) -> None:
        self._worker.stop()


_threads = BackgroundThreads("django-vt", _Delivering)
