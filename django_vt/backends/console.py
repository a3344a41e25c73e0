"""A backend that prints instead of sending, for development."""

from __future__ import annotations

import sys
import threading

from django_vt.backends.base import Backend
from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest
from django_vt.protocol.payloads import indented

_turn = threading.Lock()


class ConsoleBackend(Backend):
    """Prints requests to standard output and counts them as sent. They hold shoppers' data: not for production."""

    sends = False

    def send(self, request: OutgoingRequest) -> Reply:
        """Print the events of the request."""
        lines = [f"Vibetrace {request.account_id} {request.event_type}: {len(request.payloads)} event(s)"]
        lines += map(indented, request.payloads)
        with _turn:
            sys.stdout.write("\n".join([*lines, ""]))
            sys.stdout.flush()
        return Reply(200)
