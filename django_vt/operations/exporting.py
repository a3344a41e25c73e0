"""Exporting a shopper's data: everything that `forget_shopper` would forget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from django_vt.models import RememberedIdentity, SendAttempt, SendLogEntry
from django_vt.models.db import default_alias
from django_vt.operations.shopper import Shopper
from django_vt.protocol.payloads import value_of

AT_ONCE = 500  # rows a query
# Without the queue's columns, which say nothing about a person.
OF_AN_ENTRY = (
    *("id", "account_id", "event_type", "status", "reason", "reference", "identity", "email_hash"),
    *("created_at", "sent_at", "attempts", "response_status", "payload"),
)


def export_shopper(
    *, address: str | None = None, pixel: str | None = None, vtsid: str | None = None, using: str | None = None
) -> dict[str, Any]:
    """Implementation of `django_vt.export_shopper`, documented there."""
    using = using or default_alias()
    return all_of(Shopper.known_by(using, address=address, pixel=pixel, vtsid=vtsid), using)


def all_of(shopper: Shopper, using: str) -> dict[str, Any]:
    """Everything that the tables hold about a shopper."""
    shopper.trace()
    return {
        "at": timezone.now().isoformat(),
        "entries": list(_entries(shopper, using)),
        "remembered_identities": list(_remembered(shopper, using)),
    }


def _entries(shopper: Shopper, using: str) -> Iterator[dict[str, Any]]:
    ids = sorted({pk for part in shopper.entries() for pk in part.values_list("pk", flat=True)})
    for some in _parts(ids):
        attempts = _attempts(some, using)
        for row in SendLogEntry.objects.using(using).filter(pk__in=some).order_by("pk").values(*OF_AN_ENTRY):
            payload = row.pop("payload")
            event = value_of(payload) if payload else None
            yield {**_plain(row), "event": event, "failed_attempts": attempts.get(row["id"], [])}


def _attempts(ids: Sequence[int], using: str) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    attempts = SendAttempt.objects.using(using).filter(entry_id__in=ids).order_by("pk")
    for attempt in attempts:
        told = {"at": attempt.at, "response_status": attempt.response_status, "reason": attempt.reason}
        found.setdefault(attempt.entry_id, []).append(_plain(told))
    return found


def _remembered(shopper: Shopper, using: str) -> Iterator[dict[str, Any]]:
    ids = [pk for pk, _visitors in shopper.remembered()]
    for some in _parts(ids):
        rows = RememberedIdentity.objects.using(using).filter(pk__in=some).order_by("pk")
        for row in rows.values("created_at", "identity"):
            yield _plain({**row, "identity": value_of(row["identity"])})


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]
