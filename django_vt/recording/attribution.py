"""Whose event it is: the sources that an event's identity can come from, in their order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from django_vt import identity as identities
from django_vt.conf import IdentificationWay, settings
from django_vt.events import AnyEvent, BaseEvent, Confirmation
from django_vt.exceptions import InvalidField
from django_vt.identity import NOBODY, Identity, Source
from django_vt.models import RememberedIdentity
from django_vt.models.db import default_alias
from django_vt.protocol import values
from django_vt.recording import event_loop
from django_vt.recording.shield import Shield
from django_vt.visitors.serving import of_request, request_in


class Attribution(NamedTuple):
    """The identity found, and what to do once the event is stored."""

    identity: Identity
    forget_remembered: Callable[[], None]


def identify(event: AnyEvent, request: HttpRequest | None, identity: Identity | None, using: str) -> Attribution:
    """For each way in IDENTIFY_BY the first source that has it; those that cost queries are asked last.

    The request that is being served is no source: staff who mark an order paid would be taken for its buyer.
    """
    memory = Memory(event.reference, using) if isinstance(event, Confirmation) else None
    chosen = identities.choose(_ways(event), _sources(event, request, identity, memory, using))
    return Attribution(chosen, memory.forget if memory else lambda: None)


def _sources(
    event: AnyEvent, request: HttpRequest | None, identity: Identity | None, memory: Memory | None, using: str
) -> Iterator[Source]:
    yield Source(lambda: identity or NOBODY)
    yield Source(lambda: of_request(request))
    if memory:
        yield Source(memory.recall)
    yield Source(lambda: Identity(email=event.email), "email")
    yield Source(lambda: _of_user(request, using), "email")


def _ways(event: AnyEvent) -> tuple[IdentificationWay, ...]:
    ways = tuple(settings.IDENTIFY_BY)
    return event.ways(ways) if isinstance(event, BaseEvent) else ways


def _of_user(request: HttpRequest | None, using: str) -> Identity:
    found = request_in(request)
    if found is None:
        return NOBODY
    with transaction.atomic(using=using):  # it queries, and could fail
        user: Any = getattr(found, "user", None)
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


# Identities kept between the checkout and a payment callback that carries none of the shopper's cookies.


def remember_identity(request: HttpRequest, reference: object, *, using: str | None = None) -> None:
    """What `django_vt.remember_identity` does, and says that it does."""
    if not settings.ENABLED:
        return
    if event_loop.runs_here():
        event_loop.in_thread(remember_identity, request, reference, using=using)
        return
    with Shield("whose order it is", using):
        key = key_of(values.identifier("reference", reference))
        identity = of_request(request)
        if identity:
            _keep_remembered(key, identity, using or default_alias())


async def aremember_identity(request: HttpRequest, reference: object, *, using: str | None = None) -> None:
    """What `django_vt.aremember_identity` does."""
    await sync_to_async(remember_identity)(request, reference, using=using)


class Memory:
    """What was remembered for an order, recalled once."""

    def __init__(self, reference: str, using: str) -> None:
        self._reference = reference
        self._using = using
        self._recalled = False

    def recall(self) -> Identity:
        """The identity of the shopper who placed the order, where it was remembered."""
        with transaction.atomic(using=self._using):
            row = self._rows().first()
        if row is None:
            return NOBODY
        self._recalled = True
        return Identity.from_dict(json.loads(row.identity))

    def forget(self) -> None:
        """It was used."""
        if self._recalled:
            with transaction.atomic(using=self._using):
                self._rows().delete()

    def _rows(self) -> QuerySet[RememberedIdentity]:
        # Made when asked for: building a query costs most orders, which have a cookie, for nothing.
        return RememberedIdentity.objects.using(self._using).filter(key=key_of(self._reference))


def key_of(reference: str, account_id: str | None = None) -> str:
    """The key of an order: a hash, so that the row by itself does not tell which order it belongs to.

    `account_id`: by default that of the settings, under which it is remembered and recalled.
    """
    account_id = settings.account_id if account_id is None else account_id
    return hashlib.sha256("\0".join((account_id, reference)).encode()).hexdigest()


def _keep_remembered(key: str, identity: Identity, using: str) -> None:
    text = json.dumps(identity.to_dict())
    try:
        _write_remembered(key, text, using)
    except IntegrityError:
        # The shopper's other tab has remembered it between our look and our INSERT.
        _write_remembered(key, text, using)


def _write_remembered(key: str, text: str, using: str) -> None:
    # A look, then one row by its primary key. An UPDATE by key, or MariaDB's ON DUPLICATE KEY, would lock the gap
    # beside the row, and other checkouts with it.
    with transaction.atomic(using=using):
        row = RememberedIdentity.objects.using(using).filter(key=key).first() or RememberedIdentity(key=key)
        row.identity, row.created_at = text, timezone.now()
        row.save(using=using)
