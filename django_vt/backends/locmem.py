"""A backend that keeps requests in a list, for tests; the default in a test environment."""

from __future__ import annotations

from django_vt.backends.base import Backend
from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest

outbox: list[OutgoingRequest] = []


class LocMemBackend(Backend):
    """Appends requests to `django_vt.backends.locmem.outbox` and answers each with 200."""

    sends = False

    def send(self, request: OutgoingRequest) -> Reply:
        """Append to `outbox`."""
        outbox.append(request)
        return Reply(200)
