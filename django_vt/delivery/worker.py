"""A worker: delivers, sleeps until something is due, and goes on. `send_pending --forever` is one, the thread too."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connections

from django_vt.delivery import DeliveryReport
from django_vt.delivery.claim import LONGEST_SLEEP, SHORTEST_SLEEP
from django_vt.delivery.deliver import Delivery
from django_vt.models.db import commit_each_statement

logger = logging.getLogger(__name__)


class Worker:
    """Delivers on one database, with up to `concurrency` requests in flight; other threads may `stop` and `wake` it.

    `account_id`: send only this account's events. `stopping` is asked before each request: once it returns True, or
    `stop` was called, no request is begun.
    """

    def __init__(
        self,
        using: str,
        *,
        concurrency: int = 1,
        stopping: Callable[[], bool] = lambda: False,
        account_id: str | None = None,
    ) -> None:
        self.using = using
        self._concurrency = concurrency
        self._account_id = account_id
        self._stopping = stopping
        self._stopped = threading.Event()
        self._woken = threading.Event()
        self._failures = 0
        self._delivery: Delivery | None = None

    def wake(self) -> None:
        """Tell the worker to look again now, because something is due or will be."""
        self._woken.set()

    def stop(self) -> None:
        """Finish the requests in flight, give back all other entries, and end."""
        self._stopped.set()
        self._woken.set()

    def run_until_empty(self) -> DeliveryReport:
        """Make one pass: deliver until nothing may be claimed. Raises what the database raises."""
        try:
            return self._open().run()
        finally:
            self.finish()

    def run_forever(self) -> None:
        """Deliver until `stop` is called; if the database is away, wait for it."""
        while not self._stopped.is_set():
            seconds = self.run_once()
            self.sleep(LONGEST_SLEEP if seconds is None else seconds)
        self.finish()

    def run_once(self) -> float | None:
        """Make one pass; returns the seconds until the next is worthwhile, None if nothing is pending.

        The connections to the vendor stay open for the next pass, until `finish` or `close`.
        """
        self._woken.clear()
        try:
            delivery = self._open()
            report = delivery.run()
            seconds = delivery.seconds_until_due()
        except (DatabaseError, InterfaceError) as error:
            return self._after_failure(error)
        self._failures = 0
        if report != DeliveryReport():
            logger.info("Delivered: %s", report)
        return seconds

    def sleep(self, seconds: float) -> None:
        """Sleep for `seconds`, or until `wake` or `stop` is called."""
        if not self._stopped.is_set():  # a pass that began after `stop` has cleared its wake
            self._woken.wait(seconds)

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    def finish(self) -> None:
        """Close the connections to the vendor. The next pass opens them again."""
        delivery, self._delivery = self._delivery, None
        if delivery is not None:
            delivery.close()

    def close(self) -> None:
        """Close the connections to the vendor and this thread's database connections, including the receivers'."""
        self.finish()
        connections.close_all()

    def _open(self) -> Delivery:
        commit_each_statement(self.using)
        if self._delivery is None or not self._delivery.is_current:
            self.finish()
            self._delivery = Delivery(
                self.using,
                concurrency=self._concurrency,
                stopping=self._is_stopping,
                account_id=self._account_id,
            )
        return self._delivery

    def _is_stopping(self) -> bool:
        # If the main thread is dead, the process is ending, and a request can no longer start its watchdog thread.
        return self._stopped.is_set() or self._stopping() or not threading.main_thread().is_alive()

    def _after_failure(self, error: Exception) -> float:
        # Log the class only: the text of a database error can hold a row.
        level = logging.DEBUG if self._failures else logging.ERROR
        logger.log(level, "The send log cannot be read, trying again: %s", type(error).__name__)
        self._failures += 1
        self.close()
        return float(min(SHORTEST_SLEEP * 2 ** min(self._failures, 10), LONGEST_SLEEP))
