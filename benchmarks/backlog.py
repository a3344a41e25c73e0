"""Rows that are due, to be drained: but for their numbers all are the entry that one order has left."""

from __future__ import annotations

import hashlib
from copy import copy

from django.db import transaction

from benchmarks import orders
from django_vt.models import SendLogEntry

AT_ONCE = 50  # rows an INSERT; SQLite takes no more variables


def record(using: str, events: int) -> None:
    """So many, and nothing else."""
    entries = SendLogEntry.objects.using(using)
    entries.all().delete()
    with transaction.atomic(using=using):
        orders.place(using)
    latest = entries.latest("pk")
    with transaction.atomic(using=using):
        entries.bulk_create((_copy(latest) for _entry in range(events - 1)), batch_size=AT_ONCE)


def _copy(original: SendLogEntry) -> SendLogEntry:
    entry, number = copy(original), str(next(orders.numbers))
    entry.payload = entry.payload.replace(entry.reference, number)
    entry.pk, entry.reference, entry.dedup_key = None, number, hashlib.sha256(number.encode()).hexdigest()
    return entry
