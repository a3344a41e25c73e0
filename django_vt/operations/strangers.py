"""Accounts that the settings do not name. Their entries are not sent; staff may skip them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django_vt.accounts import is_known, known_accounts
from django_vt.delivery.clock import database_now
from django_vt.models import Endpoint, SendLogEntry, Status
from django_vt.models.send_log import SendLogQuerySet
from django_vt.operations.figures import strangers

AT_ONCE = 500  # entries a transaction


def accounts_on(using: str) -> list[str]:
    """The accounts that the settings name, those that were sent to before, and those with pending entries."""
    called = Endpoint.objects.using(using).values_list("account_id", flat=True)
    return sorted({*(known_accounts() or ()), *called, *strangers(using)} - {""})


def waiting_for(using: str, account_id: str) -> list[int]:
    """The ids of an account's pending entries."""
    pending = SendLogEntry.objects.using(using).filter(status=Status.PENDING, account_id=account_id)
    return list(pending.order_by("pk").values_list("pk", flat=True))


def of_strangers(ids: Sequence[int], using: str) -> list[int]:
    """The ids whose entries are pending for an account that the settings do not name."""
    return [pk for part in _parts(ids, using) for pk in _of_strangers(part)]


def skip(ids: Sequence[int], using: str) -> list[int]:
    """Skip those of the entries that are pending for an account that the settings do not name.

    Returns the ids that were skipped. `resend` makes them pending again; `purge_send_log` deletes them when they are
    old.
    """
    now = database_now(using)
    skipped: list[int] = []
    for part in _parts(ids, using):
        chosen = _of_strangers(part)
        part.filter(pk__in=chosen).set_aside(now)
        skipped += part.with_status(Status.SKIPPED, chosen).values_list("pk", flat=True)
    return skipped


def _of_strangers(part: SendLogQuerySet) -> list[int]:
    rows = part.filter(status=Status.PENDING).order_by("pk").values_list("pk", "account_id")
    return [pk for pk, account_id in rows if not is_known(account_id)]


def _parts(ids: Sequence[int], using: str) -> Iterator[SendLogQuerySet]:
    for start in range(0, len(ids), AT_ONCE):
        yield SendLogEntry.objects.using(using).filter(pk__in=ids[start : start + AT_ONCE])
