"""Whose event it is: the sources that an event's identity can come from, in their order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import cached_property
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from django_vt import identity as identities
from django_vt.accounts import account_for, decided_by_function, known_accounts, only_account
from django_vt.conf import IdentificationWay, settings
from django_vt.events import AnyEvent, BaseEvent, Confirmation
from django_vt.exceptions import InvalidField
from django_vt.identity import NOBODY, Identity, Source
from django_vt.models import RememberedIdentity
from django_vt.models.db import default_alias
from django_vt.protocol import values
from django_vt.protocol.payloads import object_of
from django_vt.recording import door
from django_vt.recording.call import is_plain as is_plain_value
from django_vt.recording.call import is_plain_request, is_surely
from django_vt.recording.shield import is_doomed
from django_vt.visitors.serving import of_request, request_in

DJANGOS_METHOD = vars(AbstractBaseUser)["get_email_field_name"].__func__


class Attribution(NamedTuple):
    """The identity found, and what to do once the event is stored."""

    identity: Identity
    account_id: str
    forget_remembered: Callable[[], None]


def identify(
    event: AnyEvent, request: HttpRequest | None, identity: Identity | None, using: str, account_id: str = ""
) -> Attribution:
    """Choose the identity: for each way in IDENTIFY_BY, the first source that has it; sources that query come last.

    The request being served is no source: staff who mark an order paid would be taken for its buyer. If `account_id` is
    empty and the project has several accounts, use the account remembered for the order.
    """
    memory = Memory(event.reference, using, account_id) if isinstance(event, Confirmation) else None
    chosen = identities.choose(_ways(event), _sources(event, request, identity, memory, using))
    if memory and not account_id and known_accounts() != ():
        account_id = memory.account_id
    return Attribution(chosen, account_id, memory.forget if memory else lambda: None)


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
    """The e-mail address of a user, whatever the user model; empty if the user has none, or reading it fails."""
    using = default_alias()
    try:
        with nullcontext() if is_loaded(user) else door.savepoints(using):
            name = user.get_email_field_name() if hasattr(user, "get_email_field_name") else None
            address = getattr(user, name, None) if name else None
    except Exception:
        # The project's property may query and raise, DoesNotExist for example: the event then goes by the cookie.
        if is_doomed(using):
            raise
        return ""
    return address.strip() if isinstance(address, str) else ""


def is_loaded(user: object) -> bool:
    """Whether the user's address is loaded, so that reading it runs neither a query nor the project's code."""
    kind = type(user)
    if not issubclass(kind, AbstractBaseUser):
        return False
    # Only Django's own method is known to do no harm; the project's may be an instance's, query or raise.
    method = getattr(kind.get_email_field_name, "__func__", None)
    return method is DJANGOS_METHOD and kind.get_email_field_name() in vars(user)


# Identities kept between the checkout and a payment callback that carries none of the shopper's cookies.


def remember_identity(
    request: HttpRequest, reference: object, *, using: str | None = None, account_id: str | None = None
) -> None:
    """Implementation of `django_vt.remember_identity`, documented there."""

    def looks_plain() -> bool:
        return is_plain_value(reference) and is_plain_request(request) and not decided_by_function()

    def remember(_shield: object) -> None:
        alias = using or default_alias()
        with nullcontext() if is_surely(looks_plain) else door.savepoints(alias):
            key = key_of(values.identifier("reference", reference))
            identity = of_request(request)
            account = account_for(None, request_in(request), account_id)
        # With several accounts, remember the account even if the buyer is unknown: the callback names only the order.
        if identity or (account and not only_account()):
            _keep_remembered({"key": key, "account_id": account}, identity, alias)

    door.enter("whose order it is", using, remember)


async def aremember_identity(
    request: HttpRequest, reference: object, *, using: str | None = None, account_id: str | None = None
) -> None:
    """Implementation of `django_vt.aremember_identity`, documented there."""
    await sync_to_async(remember_identity)(request, reference, using=using, account_id=account_id)


class Memory:
    """What was remembered for an order; the database is asked once.

    Two shops may use the same order number: without an `account_id`, nothing is recalled in that case.
    """

    def __init__(self, reference: str, using: str, account_id: str) -> None:
        self._reference = reference
        self._using = using
        self._account_id = account_id
        self._used: RememberedIdentity | None = None

    @cached_property
    def _row(self) -> RememberedIdentity | None:
        # Lazy: most orders have a cookie, and need not pay for this query.
        rows = RememberedIdentity.objects.using(self._using).filter(key=key_of(self._reference))
        with transaction.atomic(using=self._using):
            found = [row for row in rows if not self._account_id or row.account_id in {"", self._account_id}]
        # Prefer the row of this account to the one without an account.
        found.sort(key=lambda row: row.account_id, reverse=True)
        return found[0] if found and (self._account_id or len(found) == 1) else None

    def recall(self) -> Identity:
        """The identity of the shopper who placed the order, if it was remembered."""
        self._used = self._row
        try:
            return Identity.from_dict(object_of(self._row.identity) or {}) if self._row else NOBODY
        except InvalidField:
            return NOBODY  # the row was changed by hand

    @property
    def account_id(self) -> str:
        """The account of the shop that the order was placed in, if it was remembered."""
        return self._row.account_id if self._row else ""

    def forget(self) -> None:
        """Delete what was used. With several accounts, keep the account for the provider's next call for this order."""
        if self._used is None:
            return
        row = RememberedIdentity.objects.using(self._using).filter(pk=self._used.pk)
        with transaction.atomic(using=self._using):
            if self._used.account_id and not only_account():
                row.update(identity="{}")
            else:
                row.delete()


def key_of(reference: str) -> str:
    """The key of an order: a hash, so that the row by itself does not tell which order it belongs to."""
    return hashlib.sha256(reference.encode()).hexdigest()


def _keep_remembered(order: dict[str, str], identity: Identity, using: str) -> None:
    text = json.dumps(identity.to_dict())
    try:
        _write_remembered(order, text, using)
    except IntegrityError:
        # The shopper's other tab has stored it between our SELECT and our INSERT.
        _write_remembered(order, text, using)


def _write_remembered(order: dict[str, str], text: str, using: str) -> None:
    # SELECT first, then write one row by its primary key: on MariaDB, an UPDATE by `key` or ON DUPLICATE KEY would lock
    # the gap beside the row, and block other checkouts.
    with transaction.atomic(using=using):
        row = RememberedIdentity.objects.using(using).filter(**order).first() or RememberedIdentity(**order)
        if row.pk and not json.loads(text):
            return  # do not replace a known shopper by nobody
        row.identity, row.created_at = text, timezone.now()
        row.save(using=using)
