"""A backend that sends nothing, although entries count as sent."""

from __future__ import annotations

from django_vt.backends.base import Backend
from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest


class DummyBackend(Backend):
    """Answers every request 200 itself."""

    sends = False

    def send(self, request: OutgoingRequest) -> Reply:
        """Return 200 without sending anything."""
        return Reply(200)
