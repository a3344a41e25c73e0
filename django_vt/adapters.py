"""Helpers for adapters, which turn another package's orders into events in receivers of its signals.

An adapter maps an order to a `Confirmation`, connects receivers, and calls `report`, as `django_vt.contrib.oscar` does.
If the signal carries no request, `buyers_identity` and `buyers_account` ask the request being served, provided that its
visitor is the buyer. If the order is paid later, `remember_buyer` keeps both until then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from django.http import HttpRequest

from django_vt.accounts import account_at, are_by_host, host_of
from django_vt.discretion import discreetly
from django_vt.events import CONFIRMATION, AnyEvent
from django_vt.identity import Identity
from django_vt.models import SendLogEntry
from django_vt.models.db import default_alias
from django_vt.recording import attribution, door
from django_vt.recording.call import Call, nobody
from django_vt.recording.record import record
from django_vt.visitors import current_request
from django_vt.visitors.serving import of_request

IsBuyer: TypeAlias = Callable[[Any], bool]


@discreetly
def report(
    make: Callable[[], AnyEvent | Mapping[str, Any] | None],
    *,
    event_type: str = CONFIRMATION,
    reference: object = "",
    request: HttpRequest | None = None,
    identity: Callable[[], Identity | None] | None = None,
    using: str | None = None,
    account_id: str | Callable[[], str | None] | None = None,
    repeats: bool = False,
) -> SendLogEntry | None:
    """Record the event that `make` returns; None means nothing to report. If `make` raises, the event is `skipped`.

    `make` may also return a dict of a `Confirmation`'s arguments: if an item is unusable, the skipped entry holds the
    rest of the order, and `resend` can send it. `make`, `identity` and `account_id` are called in a savepoint, so their
    queries may fail without harm to the caller's transaction.

    `event_type` and `reference` are what the entry shows if there is no event; for a `confirmation`, `reference` is the
    orderId. `request` is the buyer's, if the signal has one. `identity` returns the buyer's identity, if you know it
    better. `using` is the alias of the order's database. `account_id` is the account, or a function that returns it, if
    it is not that of the request's host; None leaves it to the settings and to what was remembered. `repeats`: another
    signal has reported the order before, so errors are not logged again.

    Returns the entry, or None if nothing was recorded. Raises what `track` raises, but no error of `make`.
    """
    return record(
        Call(
            make,
            request,
            nobody if identity is None else identity,
            using,
            account_id,
            event_type=event_type,
            reference=reference,
            repeats=repeats,
        )
    )


@discreetly
def buyers_identity(is_buyer: IsBuyer) -> Identity:
    """The identity of the request being served if its visitor is the buyer, otherwise a falsy one.

    Staff may place an order for a customer, and so may code: then the visitor is not the buyer, or there is none.
    `is_buyer` is called with the visitor's user, an `AnonymousUser` for a guest, and returns whether the order is
    theirs. It may query, and raises what the query raises: pass this as `report`'s `identity`, which expects that.
    """
    return of_request(_buyers_request(is_buyer))


@discreetly
def buyers_account(is_buyer: IsBuyer) -> str | None:
    """The account of the buyer's shop: of the host of the request being served, if ACCOUNT_ID maps hosts to accounts.

    Otherwise None; also if the visitor is not the buyer, because staff may mark all shops' orders paid from one host.
    Use it for `report`'s `account_id`. `is_buyer` is as in `buyers_identity`.
    """
    return account_at(host_of(_buyers_request(is_buyer))) if are_by_host() else None


@discreetly
def remember_buyer(
    reference: object, is_buyer: IsBuyer, *, using: str | None = None, account_id: str | None = None
) -> None:
    """Remember the buyer of an order that is paid later, if the buyer is the visitor of the request being served.

    `reference` is the order's id, as its `Confirmation` will give it. `is_buyer` is as in `buyers_identity`, and is
    called in a savepoint. `using` is the alias of the order's database, `account_id` the account if it is not that of
    the request's host. Raises what `django_vt.remember_identity` raises, but no error of `is_buyer`.
    """

    def remember(_shield: object) -> None:
        with door.savepoints(using or default_alias()):
            request = _buyers_request(is_buyer)
        if request is not None:
            attribution.remember_identity(request, reference, using=using, account_id=account_id)

    door.enter("whose order it is", using, remember)


def _buyers_request(is_buyer: IsBuyer) -> HttpRequest | None:
    request = current_request()
    visitor = getattr(request, "user", None)
    return request if visitor is not None and is_buyer(visitor) else None
