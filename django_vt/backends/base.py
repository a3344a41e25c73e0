"""What every backend is: the setting BACKEND names a class like this."""

from __future__ import annotations

from django.core.checks import CheckMessage

from django_vt.outcome import Reply
from django_vt.packing import OutgoingRequest


class Backend:
    """Sends requests. One instance serves one delivery, from as many threads as it has requests in flight."""

    def send(self, request: OutgoingRequest) -> Reply:
        """Send, and return the answer, or raise `DeliveryError` where there is none. Retries are not its job."""
        raise TypeError(f"{type(self).__name__} does not say how to send")

    def close(self) -> None:
        """Free what `send` opened."""

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """What `manage.py check` should say of a project that uses this backend."""
        return []
