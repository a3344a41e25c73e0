"""The base class of backends: the setting BACKEND names a subclass."""

from __future__ import annotations

import abc
from typing import ClassVar

from django.core.checks import CheckMessage

from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest


class Backend(abc.ABC):
    """Sends requests. One instance serves one delivery, which may call it from several threads at once.

    `sends`: whether requests reach Vibetrace. If it is False, `send_log_status` says that entries are marked as sent
    although nothing leaves.
    """

    sends: ClassVar[bool] = True

    @abc.abstractmethod
    def send(self, request: OutgoingRequest) -> Reply:
        """Send `request` and return the answer, whatever its status.

        If there is no answer, raise `DeliveryError` with a code of `django_vt.protocol.reasons`. Any other error counts
        as `backend failed`. End within TIMEOUT's deadline. Do not retry: the delivery does.
        """

    def close(self) -> None:  # noqa: B027 - there may be nothing to free
        """Free what `send` opened."""

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """The messages that `manage.py check` should show for a project that uses this backend."""
        return []
