"""For receivers of other packages' signals: what turns their order into an event, without ever raising.

An adapter maps (order → `Confirmation`), connects, and calls `report`. `django_vt.contrib.oscar` is one. If the signal
carries no request, `buyers_identity` and `buyers_account` ask the request being served, provided that the visitor is
the buyer. If the order is paid later, `remember_buyer` keeps both until then.
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
    """Record the event that `make` returns (None: nothing to report); what `make` cannot use is recorded as `skipped`.

    `make` may also return a dict of a `Confirmation`'s arguments: where an item cannot be used, the skipped entry then
    holds the rest of the order, and can be sent by `resend`. `make`, `identity` and `account_id` are called in a
    savepoint: their queries may fail without harm to the caller's transaction.

    `event_type` and `reference` are what the entry shows where there is no event; of a `confirmation`, `reference` is
    the orderId. `request` is the buyer's, where the signal has one; `identity` returns whose order it is, where you
    know better. `using` is the alias of the order's database. `account_id` is the account, or returns it, where it is
    not that of the request's host; None leaves it to the settings and to what was remembered. `repeats`: another
    signal has told of the order already, so that the log need not say again what is wrong.

    Returns the entry, or None when nothing was recorded. Raises what `track` raises, and nothing of `make`'s.
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
    """The identity of the request being served if its visitor is the buyer, and a falsy one otherwise.

    Orders are also placed by staff for a customer, and by code: the visitor is then somebody else, or nobody.
    `is_buyer` is called with the visitor's user, an `AnonymousUser` for a guest, and returns whether the order is
    theirs. It may query, and raises what the query raises: pass this as `report`'s `identity`, which expects that.
    """
    return of_request(_buyers_request(is_buyer))


@discreetly
def buyers_account(is_buyer: IsBuyer) -> str | None:
    """The account of the shop that the buyer is at: of the host of the request being served, if hosts name accounts.

    None if they do not, or the visitor is not the buyer: staff mark orders of all shops as paid from one. For
    `report`'s `account_id`; `is_buyer` as in `buyers_identity`.
    """
    return account_at(host_of(_buyers_request(is_buyer))) if are_by_host() else None


@discreetly
def remember_buyer(
    reference: object, is_buyer: IsBuyer, *, using: str | None = None, account_id: str | None = None
) -> None:
    """Remember whose order it is that is paid later, by the request being served if its visitor is the buyer.

    `reference` is the order's id, as its `Confirmation` will name it. `is_buyer` is called as `buyers_identity` calls
    it, in a savepoint. `using` is the alias of the order's database, `account_id` the account where it is not that of
    the request's host. Raises what `django_vt.remember_identity` raises, and nothing of `is_buyer`'s.
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
