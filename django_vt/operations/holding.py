"""Holding and releasing sending: events are recorded and wait, in all processes and on all machines."""

from __future__ import annotations

from django_vt.models import Endpoint


def hold(using: str) -> bool:
    """Send nothing from the next claim on. Returns whether that is new: False where sending was held already."""
    endpoints = Endpoint.objects.using(using)
    is_new = not endpoints.held()
    endpoints.hold()
    return is_new


def release(using: str) -> bool:
    """Send again. It wakes nobody. Returns whether sending was held."""
    endpoints = Endpoint.objects.using(using)
    was_held = endpoints.held()
    endpoints.release()
    return was_held
