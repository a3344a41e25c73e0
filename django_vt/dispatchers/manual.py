"""A dispatcher that leaves everything to `manage.py send_pending`."""

from __future__ import annotations

from django_vt.dispatchers.base import Dispatcher


class ManualDispatcher(Dispatcher):
    """Sends nothing from the web processes: run `send_pending` from cron, or `send_pending --forever`."""

    def wake(self, using: str) -> None:
        """Do nothing: `send_pending` looks for due entries itself."""
