"""Requests as delivery packs them."""

from __future__ import annotations

import dataclasses
import json

from django_vt.conf import settings
from django_vt.protocol.packing import OutgoingRequest, Packing


@dataclasses.dataclass
class Entry:
    pk: int
    payload: str
    account_id: str = "acc123"
    event_type: str = "login"
    batch_limit: int | None = None


def login(number: int = 1, **changes: str) -> OutgoingRequest:
    """A request with one login, to the endpoint of the settings."""
    return logins(number, **changes)[0]


def logins(*numbers: int, **changes: str) -> list[OutgoingRequest]:
    """As few requests as these logins fit in."""
    event = {"type": "login", "email": "canary@example.com", "source": "website", **changes}
    packing = Packing(settings.ENDPOINT, settings.CALLBACK, settings.BATCH_SIZE, settings.MAX_URL_LENGTH)
    payload = json.dumps(event, separators=(",", ":"))
    return packing.pack(Entry(number, payload) for number in numbers)
