"""A backend that sends nothing and calls it sent."""

from __future__ import annotations

from django_vt.backends.base import Backend
from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest


class DummyBackend(Backend):
    """Every request is answered 200 by nobody."""

    sends = False

    def send(self, request: OutgoingRequest) -> Reply:
        """Nothing leaves."""
        return Reply(200)
