"""What every backend is: the setting BACKEND names a class like this."""

from __future__ import annotations

import abc
from typing import ClassVar

from django.core.checks import CheckMessage

from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest


class Backend(abc.ABC):
    """Sends requests. One instance serves one delivery, from as many threads as it has requests in flight.

    `sends`: whether what it takes reaches Vibetrace. If it is False, `send_log_status` says that entries are called
    sent though nothing leaves.
    """

    sends: ClassVar[bool] = True

    @abc.abstractmethod
    def send(self, request: OutgoingRequest) -> Reply:
        """Send `request`, and return the answer of whatever status.

        If there is none, raise `DeliveryError` with a code of `django_vt.protocol.reasons`. Any other error counts as
        `backend failed`. It should end within TIMEOUT's deadline, and leave trying again to the delivery.
        """

    def close(self) -> None:  # noqa: B027 - there may be nothing to free
        """Free what `send` opened."""

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """What `manage.py check` should say of a project that uses this backend."""
        return []
