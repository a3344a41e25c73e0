"""For receivers of other packages' signals: what turns their order into an event, without ever raising.

An adapter maps (order → `Confirmation`), connects, and calls `report`. `django_vt.contrib.oscar` is one. If the signal
carries no request, `buyers_identity` asks the request being served, provided that the visitor is the buyer. If the
order is paid later, `remember_buyer` keeps that identity until then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from django.db import transaction
from django.http import HttpRequest

from django_vt import identity as identities
from django_vt.conf import settings
from django_vt.events import CONFIRMATION, AnyEvent
from django_vt.identity import Identity
from django_vt.models import SendLogEntry
from django_vt.models.db import default_alias
from django_vt.recording import attribution, event_loop, record
from django_vt.recording.shield import Shield, is_doomed

IsBuyer: TypeAlias = Callable[[Any], bool]


def report(
    make: Callable[[], AnyEvent | None],
    *,
    event_type: str = CONFIRMATION,
    reference: object = "",
    request: HttpRequest | None = None,
    identity: Callable[[], Identity] | None = None,
    using: str | None = None,
) -> SendLogEntry | None:
    """Record the event that `make` returns (None: nothing to report); what `make` cannot use is recorded as `skipped`.

    `make` and `identity` are called in a savepoint: their queries may fail without harm to the caller's transaction.
    `event_type` and `reference` are what the entry shows where there is no event. `request` is the buyer's, where the
    signal has one; `identity` returns whose order it is, where you know better. `using` is the alias of the order's
    database. Returns the entry, or None when nothing was recorded. Raises what `track` raises, and nothing of `make`'s.
    """
    if not settings.ENABLED:
        return None
    if event_loop.runs_here():
        return event_loop.in_thread(
            report, make, event_type=event_type, reference=reference, request=request, identity=identity, using=using
        )
    with Shield(event_type, using):
        try:
            with transaction.atomic(using=using or default_alias()):
                event, whose = make(), identity() if identity else None
        except Exception as error:
            if is_doomed(using):
                raise
            # Whatever the order holds, and whatever its queries met: the savepoint has undone them.
            return record.record_invalid(event_type, reference, record.problem(error), using=using)
        if event is not None:
            return record.track(event, request=request, identity=whose, using=using)
    return None


def buyers_identity(is_buyer: IsBuyer) -> Identity:
    """The identity of the request being served if its visitor is the buyer, and a falsy one otherwise.

    Orders are also placed by staff for a customer, and by code: the visitor is then somebody else, or nobody.
    `is_buyer` is called with the visitor's user, an `AnonymousUser` for a guest, and returns whether the order is
    theirs. It may query, and raises what the query raises: pass this as `report`'s `identity`, which expects that.
    """
    return identities.of_request(_buyers_request(is_buyer))


def remember_buyer(reference: object, is_buyer: IsBuyer, *, using: str | None = None) -> None:
    """Remember whose order it is that is paid later, by the request being served if its visitor is the buyer.

    `reference` is the order's id, as its `Confirmation` will name it. `is_buyer` is called as `buyers_identity` calls
    it, in a savepoint. `using` is the alias of the order's database. Raises what `django_vt.remember_identity` raises,
    and nothing of `is_buyer`'s.
    """
    if not settings.ENABLED:
        return
    if event_loop.runs_here():
        event_loop.in_thread(remember_buyer, reference, is_buyer, using=using)
        return
    with Shield("whose order it is", using):
        with transaction.atomic(using=using or default_alias()):
            request = _buyers_request(is_buyer)
        if request is not None:
            attribution.remember_identity(request, reference, using=using)


def _buyers_request(is_buyer: IsBuyer) -> HttpRequest | None:
    request = identities.current_request()
    visitor = getattr(request, "user", None)
    return request if visitor is not None and is_buyer(visitor) else None
