"""Tells Vibetrace what happened on the server of a Django shop.

`track` and `atrack` record an event, `remember_identity` and `aremember_identity` keep whose order it is until its
payment is confirmed. Orders are best reported by the signal `django_vt.signals.order_placed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_vt.discretion import discreetly

if TYPE_CHECKING:
    from typing import Any

    from django.http import HttpRequest

    from django_vt.events import AnyEvent
    from django_vt.identity import Identity
    from django_vt.models import SendLogEntry
    from django_vt.operations.forgetting import Forgetting

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "aremember_identity",
    "atrack",
    "export_shopper",
    "forget_shopper",
    "remember_identity",
    "track",
]

# What does it is imported when it is called: it needs Django's apps to be ready, which import this package first.


@discreetly
def track(
    event: AnyEvent,
    *,
    request: HttpRequest | None = None,
    identity: Identity | None = None,
    using: str | None = None,
    account_id: str | None = None,
) -> SendLogEntry | None:
    """Record `event`, in the transaction that is open on the database `using` (an alias; by default the send log's).

    `event` is a `Confirmation`, a `Login`, an `Event`, or what has the members of `AnyEvent`. It is attributed by the
    first of IDENTIFY_BY that `identity`, the `request`, what was remembered for the order, the event's own address or
    the request's user can name; where none can, it is recorded as `skipped`. An event whose `dedup_key` was recorded
    before gives back that entry. `account_id` is the account, where it is not that of the settings.

    Returns the entry, or None when nothing was recorded: ENABLED is False, BEFORE_RECORD dropped it, or recording
    failed. What fails of the event's own code, such as a property that queries, is undone to a savepoint and recorded
    as `skipped`.

    Raises two kinds of database error, and the whole transaction is then the shop's to try again: one that has broken
    the transaction (a deadlock on MariaDB), and, for an order in an open transaction, a wait for another transaction
    that records the same order. Where FAIL_SILENTLY is False it raises whatever went wrong.

    On a running event loop it records all the same, through a thread and outside the caller's transaction; use
    `atrack` there.
    """
    from django_vt.recording import record

    return record.track(event, request=request, identity=identity, using=using, account_id=account_id)


@discreetly
async def atrack(
    event: AnyEvent,
    *,
    request: HttpRequest | None = None,
    identity: Identity | None = None,
    using: str | None = None,
    account_id: str | None = None,
) -> SendLogEntry | None:
    """`track` for async code: takes, returns and raises the same."""
    from django_vt.recording import record

    return await record.atrack(event, request=request, identity=identity, using=using, account_id=account_id)


@discreetly
def remember_identity(
    request: HttpRequest, reference: object, *, using: str | None = None, account_id: str | None = None
) -> None:
    """Remember whose order it is, for the `Confirmation` of that `order_id` that is recorded without this request.

    To be called at checkout with the shopper's `request`, before they leave to pay. `reference` is the order's id, as
    it is passed to `order_placed` or `Confirmation` later, in whatever process and however many days; `using` the alias
    of the order's database, by default the send log's. Kept are the ids in the cookies, all ways known; the address
    comes with the order itself. A second call for an order replaces the first, one for a visitor without ids changes
    nothing. Of several accounts that of the request's host is remembered too, or `account_id`: the order goes there,
    also that of a visitor without ids.

    It is forgotten with the `Confirmation` that uses it, or by `purge_send_log` after RETENTION_DAYS; which of several
    accounts it is is kept until then. Raises what `track` raises, so nothing that fails here reaches the shopper.
    """
    from django_vt.recording import attribution

    attribution.remember_identity(request, reference, using=using, account_id=account_id)


@discreetly
async def aremember_identity(
    request: HttpRequest, reference: object, *, using: str | None = None, account_id: str | None = None
) -> None:
    """`remember_identity` for async code: takes and raises the same."""
    from django_vt.recording import attribution

    await attribution.aremember_identity(request, reference, using=using, account_id=account_id)


@discreetly
def forget_shopper(
    *, address: str | None = None, pixel: str | None = None, vtsid: str | None = None, using: str | None = None
) -> Forgetting:
    """Forget a shopper, as `manage.py forget_shopper` does: for a view in which shoppers delete their account.

    Give exactly one: their e-mail `address`, in whatever spelling; `pixel`, the value of the cookie `_vt_user` or the
    user id that it begins with; or `vtsid`, the value of the cookie `_vtsid`. `using` is the send log's database.

    Payload, identity and e-mail hash of their entries are emptied, in every status; their remembered identities are
    deleted. What was pending is skipped and never sent. It works in short transactions, and may be called again.
    Returns what it did: `statuses` (how many entries, by the status they had), `remembered`, `others` (entries of the
    same visitors that hold another address, and are left) and `in_hands_until`, the moment until which a worker may
    still send what it had in its hands, None where none had. Raises `InvalidField`, a `ValueError`, for what names
    nobody.
    """
    from django_vt.operations import forgetting

    return forgetting.forget_shopper(address=address, pixel=pixel, vtsid=vtsid, using=using)


@discreetly
def export_shopper(
    *, address: str | None = None, pixel: str | None = None, vtsid: str | None = None, using: str | None = None
) -> dict[str, Any]:
    """All that is held of a shopper, as `manage.py export_shopper` prints it: what `forget_shopper` would forget.

    Takes and raises what `forget_shopper` does: exactly one of `address`, `pixel` and `vtsid`, and `using`. Returns
    plain values that JSON can hold: `at`; `entries`, each with its columns, the `event` that is sent (None where it was
    emptied, a text where it is no JSON) and its `failed_attempts`; `remembered_identities`. Moments are ISO 8601. All
    of it is personal data.
    """
    from django_vt.operations import exporting

    return exporting.export_shopper(address=address, pixel=pixel, vtsid=vtsid, using=using)
