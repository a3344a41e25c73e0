"""Identities kept between the checkout and a payment callback that carries none of the shopper's cookies."""

from __future__ import annotations

import hashlib
import json

from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from django_vt import event_loop
from django_vt.conf import settings
from django_vt.identity import NOBODY, Identity, of_request
from django_vt.models import RememberedIdentity
from django_vt.models.db import default_alias
from django_vt.never_raising import NeverRaising
from django_vt.protocol import values


def remember_identity(request: HttpRequest, reference: object, *, using: str | None = None) -> None:
    """What `django_vt.remember_identity` does, and says that it does."""
    if not settings.ENABLED:
        return
    if event_loop.runs_here():
        event_loop.in_thread(remember_identity, request, reference, using=using)
        return
    with NeverRaising("whose order it is", using):
        key = key_of(values.identifier("reference", reference))
        identity = of_request(request)
        if identity:
            _keep(key, identity, using or default_alias())


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


def _keep(key: str, identity: Identity, using: str) -> None:
    text = json.dumps(identity.to_dict())
    try:
        _write(key, text, using)
    except IntegrityError:
        # The shopper's other tab has remembered it between our look and our INSERT.
        _write(key, text, using)


def _write(key: str, text: str, using: str) -> None:
    # A look, then one row by its primary key. An UPDATE by key, or MariaDB's ON DUPLICATE KEY, would lock the gap
    # beside the row, and other checkouts with it.
    with transaction.atomic(using=using):
        row = RememberedIdentity.objects.using(using).filter(key=key).first() or RememberedIdentity(key=key)
        row.identity, row.created_at = text, timezone.now()
        row.save(using=using)
