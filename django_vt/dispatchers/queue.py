"""The base class of dispatchers for task queues: publish now, publish later, and deliver in the queue's worker.

To support another queue, write a `QueueDispatcher` that knows how to publish, and a task that calls its `deliver`.
"""

from __future__ import annotations

import abc
import logging
import time
from functools import partial
from typing import ClassVar

from django.db import DatabaseError, InterfaceError, connections

from django_vt.delivery.claim import LONGEST_SLEEP
from django_vt.delivery.clock import database_now
from django_vt.delivery.worker import Worker
from django_vt.discretion import discreetly
from django_vt.dispatchers._background import BackgroundTask, BackgroundThreads
from django_vt.dispatchers._platform import uwsgi_threads_are_off
from django_vt.dispatchers.base import Dispatcher
from django_vt.models import Endpoint
from django_vt.models.db import default_alias

logger = logging.getLogger(__name__)

LONGEST_RUN = 20.0  # seconds after which a run begins no request, so that a worker told to stop can stop soon
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds between two attempts while the queue cannot be reached
UWSGI_WITHOUT_THREADS = (
    "No worker can be woken, events of the database %s wait for `manage.py send_pending`: uWSGI runs no threads unless "
    "its configuration has `enable-threads = true`."
)


class QueueDispatcher(Dispatcher):
    """Turns each wake into a task of a queue. The task names the database and holds no event.

    A thread of the web process publishes it. All wakes that come while a task is being published become one task. If a
    task cannot be published, the thread tries again as long as the process lives. A lost task delays events but loses
    none.
    """

    publishers: ClassVar[BackgroundThreads]

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        cls.publishers = BackgroundThreads("django-vt-publish", partial(_Publishing, cls))

    @abc.abstractmethod
    def publish(self, using: str) -> None:
        """Put a task for the database `using` on the queue, within seconds; raise if that fails."""

    @abc.abstractmethod
    def publish_later(self, using: str, seconds: float) -> None:
        """Put a task for the database `using` on the queue, to be run in `seconds`, 60 at most; raise if that fails."""

    def close(self) -> None:
        """Free the resources that `publish` opened on this instance."""

    def wake(self, using: str) -> None:
        """Have a thread publish a task. Returns at once, so that the checkout never waits for the queue."""
        if uwsgi_threads_are_off():
            self.publishers.say_once(logging.ERROR, UWSGI_WITHOUT_THREADS, using)
        else:
            self.publishers.start(using)

    def start(self, using: str) -> None:
        """Wake, because entries may have been recorded while the queue was away."""
        self.wake(using)

    @discreetly
    def deliver(self, using: str | None = None, *, comes_back: bool = True) -> None:
        """Called by the queue's task: deliver what is due, and publish a task for what is due later.

        `using` is the alias of the database, by default the send log's. `comes_back`: False if the queue cannot run a
        task later. If several tasks end, only one publishes the next, so that each database has one chain of tasks.
        """
        alias = using or default_alias()
        seconds = _run(alias)
        if seconds is not None and comes_back and _is_mine(alias, seconds):
            try:
                self.publish_later(alias, seconds)
            except Exception as error:  # noqa: BLE001 - brokers and their clients raise anything
                # The next wake begins a new chain.
                logger.error("The next delivery could not be scheduled: %s; events wait", type(error).__name__)


class _Publishing(BackgroundTask):
    """Publishes the wakes for one database. While the queue is away, it retries with exponential backoff."""

    def __init__(self, dispatcher: type[QueueDispatcher], using: str) -> None:
        self._dispatcher = dispatcher()
        self._using = using
        self._failures = 0

    def run(self) -> float | None:
        try:
            self._dispatcher.publish(self._using)
        except Exception as error:  # noqa: BLE001 - brokers and their clients raise anything
            # Log at ERROR once per outage, and the class only: the text can hold the broker's address and password.
            level = logging.DEBUG if self._failures else logging.ERROR
            logger.log(level, "No worker could be woken, trying again: %s; events wait", type(error).__name__)
            self._failures += 1
            self.close()
            return float(min(FIRST_WAIT * 2 ** min(self._failures - 1, 10), LONGEST_WAIT))
        if self._failures:
            logger.info("Workers can be woken again")
        self._failures = 0
        return None

    def close(self) -> None:
        try:
            self._dispatcher.close()
        finally:
            connections.close_all()


def _run(using: str) -> float | None:
    """Deliver what is due; returns the seconds until the next run is worthwhile, or None if nothing is pending."""
    end = time.monotonic() + LONGEST_RUN
    worker = Worker(using, stopping=lambda: time.monotonic() > end)
    try:
        return worker.run_once()
    finally:
        worker.finish()


def _is_mine(using: str, seconds: float) -> bool:
    """Whether this run must publish the next task: if it wins the compare-and-set on `next_wake_at`.

    True if the database fails too: each such run publishes at most one task, and the chains merge again later.
    """
    try:
        # One run serves all accounts, so use the row that stands for the whole database.
        now = database_now(using)
        row = Endpoint.objects.using(using).row_of_account()
        return row.plan_wake(now + int(min(seconds, LONGEST_SLEEP) * 1000), now)
    except (DatabaseError, InterfaceError):
        connections[using].close()
        return True
