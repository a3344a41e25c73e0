"""A dispatcher that has Celery's workers deliver: `pip install django-vt[celery]`."""

from __future__ import annotations

from typing import Any

from celery import current_app, shared_task  # type: ignore[import-untyped]

from django_vt.dispatchers.queue import LONGEST_RUN, QueueDispatcher

PATIENCE = 5.0  # seconds that a broker has to answer
# A run begins no request after LONGEST_RUN, and a request ends by its own deadline. The shop's default limits might end
# a run between the vendor's answer and its storing, and the events would be sent again.
SOFT_TIME_LIMIT = LONGEST_RUN + 280
TIME_LIMIT = SOFT_TIME_LIMIT + 30
# By default kombu waits and retries for ever. Each of its transports has its own names for the limits.
_ONE_RETRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
_TIME_LIMITS = {
    "amqp": {"read_timeout": PATIENCE, "write_timeout": PATIENCE},
    "redis": {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE},
}


class CeleryDispatcher(QueueDispatcher):
    """Publishes a task `django_vt.deliver` on the project's broker for each wake.

    A Celery worker delivers what is due, and schedules a task for what is due later. If a broker loses a task, events
    wait until the next wake: have Celery beat, or cron, run a task every few minutes.
    """

    _connection: Any = None

    def publish(self, using: str) -> None:
        """Publish a task. Raises `OperationalError` within seconds if the broker is down or does not answer."""
        if self._connection is None:
            self._connection = connect()
        _send(using, self._connection)

    def publish_later(self, using: str, seconds: float) -> None:
        """Publish a task with a countdown, over a separate connection. Raises what `publish` raises."""
        with connect() as connection:
            _send(using, connection, seconds)

    def close(self) -> None:
        """Close the connection to the broker."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()


# acks_late: if a worker is killed, the task returns to the queue, and another worker goes on when the lease has run
# out. Running twice does no harm: a run claims only entries that no other worker holds.
@shared_task(  # type: ignore[untyped-decorator]
    name="django_vt.deliver", ignore_result=True, acks_late=True, reject_on_worker_lost=True,
    soft_time_limit=SOFT_TIME_LIMIT, time_limit=TIME_LIMIT,
)  # fmt: skip
def deliver(using: str | None = None) -> None:
    """Deliver what is due on the database `using`, by default the send log's; schedule a task for what is due later."""
    # With `task_always_eager`, Celery would run the next task at once, and the next, ignoring the countdown.
    CeleryDispatcher().deliver(using, comes_back=not deliver.request.is_eager)


def connect() -> Any:
    """A connection to the project's broker that gives up within seconds. It is not opened yet."""
    connection = current_app.connection_for_write()
    limits = _TIME_LIMITS.get(connection.transport.driver_type, {})
    connection.transport_options = {**_ONE_RETRY, **limits, **connection.transport_options}
    return connection


def _send(using: str, connection: Any, countdown: float | None = None) -> None:
    deliver.apply_async((using,), connection=connection, countdown=countdown, retry=False)
