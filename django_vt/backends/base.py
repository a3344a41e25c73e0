"""What every backend is: the setting BACKEND names a class like this."""

from __future__ import annotations

from django.core.checks import CheckMessage

from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest


class Backend:
    """Sends requests. One instance serves one delivery, from as many threads as it has requests in flight."""

    def send(self, request: OutgoingRequest) -> Reply:
        """Send `request`, and return the answer of whatever status.

        Where there is none, raise `DeliveryError` with a code of `django_vt.protocol.reasons`; what else it raises counts as
        `backend failed`. It should end within TIMEOUT's deadline, and leave trying again to the delivery. A class that
        does not say how to send gets a `TypeError`.
        """
        raise TypeError(f"{type(self).__name__} does not say how to send")

    def close(self) -> None:
        """Free what `send` opened."""

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """What `manage.py check` should say of a project that uses this backend."""
        return []
