"""Reports events from the server of a Django shop to Vibetrace.

`track` and `atrack` record an event. `remember_identity` and `aremember_identity` keep the buyer's identity until the
order is paid. Report orders by the signal `django_vt.signals.order_placed`.
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

# The functions import their implementation when called: it needs Django's apps, which import this package first.


@discreetly
def track(
    event: AnyEvent,
    *,
    request: HttpRequest | None = None,
    identity: Identity | None = None,
    using: str | None = None,
    account_id: str | None = None,
) -> SendLogEntry | None:
    """Record `event` in the open transaction on the database `using` (an alias; by default the send log's).

    `event` is a `Confirmation`, a `Login`, an `Event`, or an object with the members of `AnyEvent`. It is attributed by
    the first way in IDENTIFY_BY for which one of these knows an id: `identity`, the `request`, the identity remembered
    for the order, the event's own address, the request's user. If none does, it is recorded as `skipped`. If an event
    with the same `dedup_key` was recorded before, that entry is returned. `account_id` replaces the settings' account.

    Returns the entry, or None if nothing was recorded: ENABLED is False, BEFORE_RECORD dropped the event, or recording
    failed. If the event's own code fails, for example in a property that queries, its queries are rolled back to a
    savepoint, and the event is recorded as `skipped`.

    Raises two kinds of database error, after which the shop must retry its whole transaction: an error that has broken
    the transaction (such as a deadlock on MariaDB), and, for an order in an open transaction, a failed wait for another
    transaction that records the same order. If FAIL_SILENTLY is False, it raises every error.

    On a running event loop it records in a thread, outside the caller's transaction; use `atrack` there.
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
    """`track` for async code, with the same arguments, result and errors."""
    from django_vt.recording import record

    return await record.atrack(event, request=request, identity=identity, using=using, account_id=account_id)


@discreetly
def remember_identity(
    request: HttpRequest, reference: object, *, using: str | None = None, account_id: str | None = None
) -> None:
    """Remember the buyer of an order, for its `Confirmation`, which is recorded later without this request.

    Call it at the checkout with the shopper's `request`, before they leave to pay. `reference` is the order's id, as it
    is passed to `order_placed` or `Confirmation` later, in any process and after any number of days. `using` is the
    alias of the order's database, by default the send log's. All ids in the cookies are kept; the address comes with
    the order itself. A second call for an order replaces the first; a call for a visitor without ids changes nothing.
    In a project with several accounts, the account is remembered too, even for a visitor without ids: `account_id`, or
    that of the request's host.

    The identity is forgotten with the `Confirmation` that uses it, or by `purge_send_log` after RETENTION_DAYS; one of
    several accounts is kept until then. Raises what `track` raises, so other errors do not reach the shopper.
    """
    from django_vt.recording import attribution

    attribution.remember_identity(request, reference, using=using, account_id=account_id)


@discreetly
async def aremember_identity(
    request: HttpRequest, reference: object, *, using: str | None = None, account_id: str | None = None
) -> None:
    """`remember_identity` for async code, with the same arguments and errors."""
    from django_vt.recording import attribution

    await attribution.aremember_identity(request, reference, using=using, account_id=account_id)


@discreetly
def forget_shopper(
    *, address: str | None = None, pixel: str | None = None, vtsid: str | None = None, using: str | None = None
) -> Forgetting:
    """Forget a shopper, as `manage.py forget_shopper` does: for a view in which shoppers delete their account.

    Give exactly one of these: their e-mail `address`, in any spelling; `pixel`, the value of the cookie `_vt_user` or
    the user id that it begins with; or `vtsid`, the value of the cookie `_vtsid`. `using` is the send log's database.

    The payload, identity and e-mail hash of their entries are emptied, whatever the status; their remembered identities
    are deleted. Pending entries are skipped and never sent. It works in short transactions, and may be called again.
    Returns what it did: `statuses` (how many entries, by their earlier status), `remembered`, `others` (entries of the
    same visitors that hold another address, and are left) and `in_hands_until`: the moment until which a worker may
    still send an entry that it held, None if no worker held one. Raises `InvalidField`, a `ValueError`, for an invalid
    argument.
    """
    from django_vt.operations import forgetting

    return forgetting.forget_shopper(address=address, pixel=pixel, vtsid=vtsid, using=using)


@discreetly
def export_shopper(
    *, address: str | None = None, pixel: str | None = None, vtsid: str | None = None, using: str | None = None
) -> dict[str, Any]:
    """All data held about a shopper, as `manage.py export_shopper` prints it: what `forget_shopper` would forget.

    Takes and raises the same as `forget_shopper`: exactly one of `address`, `pixel` and `vtsid`, and `using`. Returns a
    dict that JSON can hold: `at`; `entries`, each with its columns, its `event` (None if it was emptied, a text if it
    is no JSON) and its `failed_attempts`; `remembered_identities`. Moments are ISO 8601. All of it is personal data.
    """
    from django_vt.operations import exporting

    return exporting.export_shopper(address=address, pixel=pixel, vtsid=vtsid, using=using)
