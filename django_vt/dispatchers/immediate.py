"""A dispatcher that delivers at once and where it is woken; the default in a test environment."""

from __future__ import annotations

from django_vt.delivery import deliver_due
from django_vt.dispatchers.base import Dispatcher


class ImmediateDispatcher(Dispatcher):
    """Delivers right after the commit, in the request: for tests and scripts, as the shopper waits for the vendor."""

    def wake(self, using: str) -> None:
        """Deliver what is due."""
        deliver_due(using=using)
