"""A dispatcher that has Celery's workers deliver: `pip install django-vt[celery]`."""

from __future__ import annotations

from typing import Any

from celery import current_app, shared_task  # type: ignore[import-untyped]

from django_vt.dispatchers import queue
from django_vt.dispatchers._background import Publisher
from django_vt.dispatchers.base import Dispatcher
from django_vt.models.db import default_alias

PATIENCE = 5.0  # seconds that a broker has to answer
# kombu waits for good, and tries for good, unless its transports are told otherwise, each by names of its own.
_ONE_RETRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
_TIME_LIMITS = {
    "amqp": {"read_timeout": PATIENCE, "write_timeout": PATIENCE},
    "redis": {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE},
}


class CeleryDispatcher(Dispatcher):
    """Each wake is a task `django_vt.deliver` on the project's broker; it names the database and holds no event.

    Its worker delivers what is due and comes back for what is due later, by one chain of tasks an endpoint. A task
    that a broker loses delays events until the next wake: have Celery beat, or cron, run one every few minutes.
    """

    def wake(self, using: str) -> None:
        """Have a task published, by a thread: the checkout never waits for the broker."""
        publisher.wake(using)

    def start(self, using: str) -> None:
        """Wake for what was recorded while the broker was away."""
        self.wake(using)


# Acknowledged late: a worker that is killed gives the task back, and another goes on once the lease has run out.
# That it may run twice is no harm: a run takes only what nobody else has in hand.
@shared_task(  # type: ignore[untyped-decorator]
    name="django_vt.deliver", ignore_result=True, acks_late=True, reject_on_worker_lost=True
)
def deliver(using: str | None = None) -> None:
    """Deliver what is due on the database `using`, by default the send log's; come back for what is due later."""
    alias = using or default_alias()
    seconds = queue.run(alias)
    # A task that Celery runs in place (`task_always_eager`) would come back at once, and again.
    if seconds is not None and not deliver.request.is_eager:
        queue.go_on(alias, seconds, lambda countdown: _publish_once(alias, countdown))


class BrokerPublisher(Publisher):
    """Publishes tasks over a connection of its own, which is kept while wakes come."""

    _connection: Any = None

    def publish(self, using: str) -> None:
        """Publish a task. `OperationalError` within seconds where the broker is down or does not answer."""
        if self._connection is None:
            self._connection = connect()
        send(using, self._connection)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()

    def forget(self) -> None:
        """The connection is the parent's."""
        super().forget()
        self._connection = None


def connect() -> Any:
    """A connection to the project's broker that gives up within seconds; nothing is sent yet."""
    connection = current_app.connection_for_write()
    limits = _TIME_LIMITS.get(connection.transport.driver_type, {})
    connection.transport_options = {**_ONE_RETRY, **limits, **connection.transport_options}
    return connection


def send(using: str, connection: Any, countdown: float | None = None) -> None:
    """Publish a task over the connection, to be run in `countdown` seconds."""
    deliver.apply_async((using,), connection=connection, countdown=countdown, retry=False)


def _publish_once(using: str, countdown: float) -> None:
    with connect() as connection:
        send(using, connection, countdown)


publisher = BrokerPublisher()
