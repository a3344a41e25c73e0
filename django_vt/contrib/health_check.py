"""A check for django-health-check: it fails if an entry has been due for too long.

Give it a separate view, for monitoring::

    path("health/vibetrace/", HealthCheckView.as_view(checks=["django_vt.contrib.health_check.SendLog"]))

Do not use it for a load balancer: that would take the shop offline when Vibetrace is down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.db import Error
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable

from django_vt.models.db import default_alias
from django_vt.operations.figures import due_since
from django_vt.operations.sending_state import SendingState

WHY = {
    "off": "ENABLED is False",
    "held": "staff hold sending",
    "troubled": "requests to Vibetrace fail",
    "open": "no worker sends it, or its account is held or not in the settings",
}


@dataclass
class SendLog(HealthCheck):  # type: ignore[misc] # its package has no types
    """Fails while an entry of the send log has been due for longer than `max_age`.

    `database` is the alias of the send log's database, by default the one to which the project's routers write it.
    """

    max_age: timedelta = timedelta(minutes=15)
    database: str | None = None

    async def run(self) -> None:
        """Called by django-health-check. Raises `ServiceUnavailable`, whose message says for how long and why."""
        # Look in the thread that serves the request, where Django closes the connection.
        await sync_to_async(self._look)()

    def _look(self) -> None:
        using = self.database or default_alias()
        try:
            sending = SendingState.seen_on(using)
            since = due_since(using, sending)
        except Error as error:
            raise ServiceUnavailable(f"The send log cannot be read ({type(error).__name__})") from None
        if since is not None and sending.now - since > self.max_age:
            minutes = (sending.now - since) // timedelta(minutes=1)
            raise ServiceUnavailable(f"Something has been due for {minutes} minutes: {WHY[sending.state]}")
