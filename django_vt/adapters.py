"""For receivers of other packages' signals: what turns their order into an event, without ever raising.

An adapter maps (order → `Confirmation`), connects, and calls `report`. `django_vt.contrib.oscar` is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest

from django_vt.events import CONFIRMATION, AnyEvent
from django_vt.identity import Identity
from django_vt.models import SendLogEntry
from django_vt.recording.call import Call, nobody
from django_vt.recording.record import record


def report(
    make: Callable[[], AnyEvent | Mapping[str, Any] | None],
    *,
    event_type: str = CONFIRMATION,
    reference: object = "",
    request: HttpRequest | None = None,
    identity: Callable[[], Identity | None] | None = None,
    using: str | None = None,
    account_id: str | None = None,
    repeats: bool = False,
) -> SendLogEntry | None:
    """Record the event that `make` returns (None: nothing to report); what `make` cannot use is recorded as `skipped`.

    `make` may also return a dict of a `Confirmation`'s arguments: where an item cannot be used, the skipped entry then
    holds the rest of the order, and can be sent by `resend`. `make` and `identity` are called in a savepoint: their
    queries may fail without harm to the caller's transaction.

    `event_type` and `reference` are what the entry shows where there is no event; of a `confirmation`, `reference` is
    the orderId. `request` is the buyer's, where the signal has one; `identity` returns whose order it is, where you
    know better. `using` is the alias of the order's database, `account_id` the account where it is not that of the
    settings. `repeats`: another signal has told of the order already, so that the log need not say again what is wrong.

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
