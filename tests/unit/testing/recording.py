"""Ways to record an event, for the tests of what captures them."""

from __future__ import annotations

from django.db import transaction
from django.test import Client

from django_vt import track
from django_vt.events import Event
from django_vt.identity import Identity
from django_vt.models import SendLogEntry
from django_vt.testing import CapturedEvents

SHOPPER = Identity(vtsid="abc")


class Failure(Exception):
    pass


def record(reference: str = "", dedup_key: str | None = None) -> SendLogEntry | None:
    return track(Event("wishlist", reference=reference, dedup_key=dedup_key), identity=SHOPPER)


def record_and_fail(reference: str) -> None:
    with transaction.atomic():
        record(reference)
        raise Failure


def references(events: CapturedEvents) -> list[str]:
    return [event.reference for event in events]


def place_order(client: Client, number: str, path: str = "/buy/") -> None:
    client.post(path, {"number": number, "email": "shopper@example.com"})
