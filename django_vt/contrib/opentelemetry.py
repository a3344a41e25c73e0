"""The send log's figures as OpenTelemetry metrics. Add one line to the `ready()` of one of the shop's apps::

    observe_send_log()

It needs only `opentelemetry-api`. If the project has set up no SDK, nothing is queried and nothing exported.
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

# Seconds. OpenTelemetry asks for one metric after another; within this time one look at the log serves them all.
LOOK_LASTS = 1.0
UNITS = {"seconds": "s"}


def observe_send_log(meter: Meter | None = None, *, using: str | None = None) -> None:
    """Make an observable gauge for each of the send log's figures. Call it once per process.

    `meter` is by default the one named `django_vt` of the project's meter provider, even if that is set later. `using`
    is the alias of the send log's database, by default the one to which the project's routers write it. The log is
    queried when OpenTelemetry collects: a handful of queries by index, on a connection that is not kept.
    """
    meter = meter or get_meter("django_vt")
    view = _View(using)
    for metric in METRICS:
        meter.create_observable_gauge(
            f"django_vt.{metric.name}", [partial(view.observe, metric)], UNITS.get(metric.unit, ""), metric.help
        )


class _View:
    """Shares one look at the log between the callbacks."""

    def __init__(self, using: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._using = using
        self._clock = clock
        self._lock = threading.Lock()
        self._look: Look | None = None
        self._ends = 0.0

    def observe(self, metric: Metric, _options: CallbackOptions) -> Iterator[Observation]:
        """The callback of a metric. It yields nothing if the log cannot be read."""
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
        # OpenTelemetry collects in its own thread, whose connection nobody else closes.
        if not was_open:
            connection.close()
