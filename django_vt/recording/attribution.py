"""Whose event it is: the sources that an event's identity can come from, in their order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.contrib.auth.base_user import AbstractBaseUser
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
from django_vt.recording import door
from django_vt.recording.call import is_plain as is_plain_value
from django_vt.recording.call import is_plain_request
from django_vt.recording.shield import is_doomed
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
    with door.savepoints(using):  # it queries, and could fail
        user: Any = getattr(found, "user", None)
        if user is None or not user.is_authenticated:
            return NOBODY
        address = address_of(user)
    try:
        return Identity(email=address)
    except InvalidField:
        return NOBODY


def address_of(user: Any) -> str:
    """The e-mail address of a user of whatever model the project has; empty where it has none, or none can be had."""
    using = default_alias()
    try:
        with nullcontext() if is_loaded(user) else door.savepoints(using):
            name = user.get_email_field_name() if hasattr(user, "get_email_field_name") else None
            address = getattr(user, name, None) if name else None
    except Exception:
        # A property of the project's, whose query found none or several: the event goes by the cookie.
        if is_doomed(using):
            raise
        return ""
    return address.strip() if isinstance(address, str) else ""


def is_loaded(user: object) -> bool:
    """Whether the user's address is there, so that no query runs for it and no code of the project's."""
    kind = type(user)
    return issubclass(kind, AbstractBaseUser) and kind.get_email_field_name() in vars(user)


# Identities kept between the checkout and a payment callback that carries none of the shopper's cookies.


def remember_identity(request: HttpRequest, reference: object, *, using: str | None = None) -> None:
    """Implementation of `django_vt.remember_identity`, documented there."""
    alias = using or default_alias()
    plain = is_plain_value(reference) and is_plain_request(request)
    door.enter("whose order it is", using, lambda _shield: _remember(request, reference, alias, plain=plain))


def _remember(request: HttpRequest, reference: object, using: str, *, plain: bool) -> None:
    with nullcontext() if plain else door.savepoints(using):
        key = key_of(values.identifier("reference", reference))
        identity = of_request(request)
    if identity:
        _keep_remembered(key, identity, using)


async def aremember_identity(request: HttpRequest, reference: object, *, using: str | None = None) -> None:
    """Implementation of `django_vt.aremember_identity`, documented there."""
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
