"""A dispatcher that delivers immediately, in the thread that wakes it; the default in a test environment."""

from __future__ import annotations

from django_vt.delivery import deliver_due
from django_vt.dispatchers.base import Dispatcher


class ImmediateDispatcher(Dispatcher):
    """Delivers right after the commit, in the request. The shopper waits, so use it only for tests and scripts."""

    def wake(self, using: str) -> None:
        """Deliver what is due."""
        deliver_due(using=using)
