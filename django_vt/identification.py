"""Whose event it is: the sources that an event's identity can come from, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.db import transaction
from django.http import HttpRequest

from django_vt import identity as identities
from django_vt.conf import IdentificationWay, settings
from django_vt.events import AnyEvent, Confirmation, Login
from django_vt.exceptions import InvalidField
from django_vt.identity import NOBODY, Identity, Source
from django_vt.remembering import Memory


class Whose(NamedTuple):
    """The identity found, and what to do once the event is stored."""

    identity: Identity
    forget_remembered: Callable[[], None]


def identify(event: AnyEvent, request: HttpRequest | None, identity: Identity | None, using: str) -> Whose:
    """For each way in IDENTIFY_BY the first source that has it; those that cost queries are asked last.

    The request that is being served is no source: staff who mark an order paid would be taken for its buyer.
    """
    memory = Memory(event.reference, using) if isinstance(event, Confirmation) else None
    chosen = identities.choose(_ways(event), _sources(event, request, identity, memory, using))
    return Whose(chosen, memory.forget if memory else lambda: None)


def _sources(
    event: AnyEvent, request: HttpRequest | None, identity: Identity | None, memory: Memory | None, using: str
) -> Iterator[Source]:
    yield Source(lambda: identity or NOBODY)
    yield Source(lambda: identities.of_request(request))
    if memory:
        yield Source(memory.recall)
    yield Source(lambda: Identity(email=event.email), "email")
    yield Source(lambda: _of_user(request, using), "email")


def _ways(event: AnyEvent) -> tuple[IdentificationWay, ...]:
    ways = tuple(settings.IDENTIFY_BY)
    # As in the vendor's example: a login goes by its address where there is one.
    if isinstance(event, Login) and event.email and "email" in ways:
        return ("email",)
    return ways


def _of_user(request: HttpRequest | None, using: str) -> Identity:
    if request is None:
        return NOBODY
    with transaction.atomic(using=using):  # it queries, and could fail
        user: Any = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return NOBODY
        address = address_of(user)
    try:
        return Identity(email=address)
    except InvalidField:
        return NOBODY


def address_of(user: Any) -> str:
    """The e-mail address of a user of whatever model the project has; empty where it has none."""
    address = getattr(user, user.get_email_field_name(), None) if hasattr(user, "get_email_field_name") else None
    return address.strip() if isinstance(address, str) else ""
