"""The send log's figures as OpenTelemetry metrics. One line, in the `ready()` of an app of the shop's::

    observe_send_log()

It needs `opentelemetry-api` only; where the project has set up no SDK, nothing is asked and nothing exported.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

from django.db import Error, connections
from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter

from django_vt.models.db import default_alias
from django_vt.operations.metrics import METRICS, Look, Metric

logger = logging.getLogger(__name__)

# OpenTelemetry asks for one metric after the other; within so many seconds one look at the log serves them all.
LOOK_LASTS = 1.0
UNITS = {"seconds": "s"}


def observe_send_log(meter: Meter | None = None, *, using: str | None = None) -> None:
    """Make an observable gauge of each of the send log's figures.

    `meter` is by default the one named `django_vt` of the project's meter provider, whenever that is set. `using` is
    the alias of the send log's database, by default where the project's routers write it. Call it once a process.
    The log is asked when OpenTelemetry collects: a handful of queries by index, on a connection that is not kept.
    """
    meter = meter or get_meter("django_vt")
    view = _View(using)
    for metric in METRICS:
        meter.create_observable_gauge(
            f"django_vt.{metric.name}", [partial(view.observe, metric)], UNITS.get(metric.unit, ""), metric.help
        )


class _View:
    """The look at the log that the callbacks share."""

    def __init__(self, using: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._using = using
        self._clock = clock
        self._lock = threading.Lock()
        self._look: Look | None = None
        self._ends = 0.0

    def observe(self, metric: Metric, _options: CallbackOptions) -> Iterator[Observation]:
        """The callback of a metric. Where the log cannot be read there is nothing to observe."""
        using = self._using or default_alias()
        look = self._shared_look(using)
        for labels, value in metric.read(look) if look else ():
            yield Observation(float(value), {"database": using, **labels})

    def _shared_look(self, using: str) -> Look | None:
        with self._lock:
            if self._clock() >= self._ends:
                self._look = _look_at(using)
                self._ends = self._clock() + LOOK_LASTS
            return self._look


def _look_at(using: str) -> Look | None:
    connection = connections[using]
    was_open = connection.connection is not None
    try:
        return Look.at(using)
    except Error as error:
        logger.warning("The send log cannot be observed: %s", type(error).__name__)
        return None
    finally:
        # OpenTelemetry collects in a thread of its own, whose connection nobody else would close.
        if not was_open:
            connection.close()
