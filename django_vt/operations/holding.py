"""Holding and releasing sending: events are recorded and wait, in all processes and on all machines."""

from __future__ import annotations

from django_vt.models import Endpoint


def hold(using: str, account_id: str = "") -> bool:
    """Send nothing from the next claim on: nothing of an account, or nothing at all.

    Returns whether that is new: False where sending was held already.
    """
    endpoints = Endpoint.objects.using(using)
    is_new = not endpoints.held(account_id)
    endpoints.hold(account_id)
    return is_new


def release(using: str, account_id: str = "") -> bool:
    """Send again: the events of an account, or those of all, also of accounts that are held apart. It wakes nobody.

    Returns whether sending was held. Where all of it is held, an account cannot be released apart from the rest.
    """
    endpoints = Endpoint.objects.using(using)
    was_held = account_id in endpoints.held_accounts() if account_id else is_held(using)
    endpoints.release(account_id)
    return was_held


def is_held(using: str) -> bool:
    """Whether anything is held: all sending, or that of an account."""
    endpoints = Endpoint.objects.using(using)
    return endpoints.held() or bool(endpoints.held_accounts())
