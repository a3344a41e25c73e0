"""Delivery by a queue's worker: a run that does what is due, and one chain of runs an endpoint for what is due later.

Whoever wins the compare-and-set on `Endpoint.next_wake_at` publishes the chain's next run. One that comes to nothing,
as its worker was killed or the broker lost it, stands in the past soon: then the next run begins a new chain.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connections

from django_vt.delivery.claim import LONGEST_SLEEP
from django_vt.delivery.clock import database_now
from django_vt.delivery.deliver import Delivery
from django_vt.models import Endpoint
from django_vt.models.db import commit_each_statement

logger = logging.getLogger(__name__)

LONGEST_RUN = 20.0  # seconds after which a run begins no request: a worker that is told to end must not wait longer


def run(using: str) -> float | None:
    """Deliver what is due on the database `using`; returns the seconds until the next run is worth while.

    None: nothing is pending. A database that is away is logged and tried again later.
    """
    end = time.monotonic() + LONGEST_RUN
    try:
        commit_each_statement(using)
        with Delivery(using, stopping=lambda: time.monotonic() > end) as delivery:
            delivery.run()
            return delivery.seconds_until_due()
    except (DatabaseError, InterfaceError) as error:
        # Not left to the queue, which would log the text: it can hold a row.
        logger.error("The send log cannot be read, trying again: %s", type(error).__name__)
        connections[using].close()
        return LONGEST_SLEEP


def go_on(using: str, seconds: float, publish: Callable[[float], None]) -> None:
    """See to it that a run comes in so many seconds: `publish` one, unless it is on its way already.

    Where the database cannot tell, one is published: each such run is followed by one at most, and they become one
    chain again when it can. What `publish` raises is logged: the next wake begins a new chain.
    """
    if not _is_mine(using, seconds):
        return
    try:
        publish(seconds)
    except Exception as error:  # noqa: BLE001 - brokers and their clients raise anything
        logger.error("The next delivery could not be scheduled: %s; events wait", type(error).__name__)


def _is_mine(using: str, seconds: float) -> bool:
    """Whether the chain's next run is this one's to publish."""
    try:
        # One run serves all accounts of the database, so the row that stands for the database keeps the chain.
        now = database_now(using)
        row = Endpoint.objects.using(using).row_of_account()
        return row.plan_wake(now + int(seconds * 1000), now)
    except (DatabaseError, InterfaceError):
        connections[using].close()
        return True
