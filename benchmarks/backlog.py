"""Rows that are due, to be drained: but for their numbers all are the entry that one order has left."""

from __future__ import annotations

import hashlib
from copy import copy

from django.db import transaction

from benchmarks import orders
from django_vt.models import SendLogEntry
from django_vt.signals import order_placed

AT_ONCE = 50  # rows an INSERT; SQLite takes no more variables


def record(using: str, events: int) -> None:
    """So many, and nothing else."""
    entries = SendLogEntry.objects.using(using)
    entries.all().delete()
    with transaction.atomic(using=using):
        order_placed.send(
            sender=None,
            request=orders.request(),
            order_id=str(next(orders.numbers)),
            total=orders.TOTAL,
            items=orders.items(),
            email=orders.EMAIL,
            using=using,
        )
    latest = entries.latest("pk")
    with transaction.atomic(using=using):
        entries.bulk_create((_copy(latest) for _entry in range(events - 1)), batch_size=AT_ONCE)


def _copy(original: SendLogEntry) -> SendLogEntry:
    entry, number = copy(original), str(next(orders.numbers))
    entry.payload = entry.payload.replace(entry.reference, number)
    entry.pk, entry.reference, entry.dedup_key = None, number, hashlib.sha256(number.encode()).hexdigest()
    return entry
