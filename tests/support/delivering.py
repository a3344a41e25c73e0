"""What the tests of delivery share: entries that are due, and a backend that answers as the test says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

import pytest
from django.utils import timezone

from django_vt.backends.base import Backend
from django_vt.conf import DEFAULTS
from django_vt.delivery.deliver import Delivery
from django_vt.exceptions import DeliveryError
from django_vt.models import Endpoint, SendLogEntry
from django_vt.models.functions import milliseconds
from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest

ACCOUNT = "acc123"

Result: TypeAlias = "Reply | DeliveryError | int"


class Script:
    """What the vendor of a test answers, and what it was sent."""

    def __init__(self) -> None:
        self.requests: list[OutgoingRequest] = []
        self.answer: Callable[[OutgoingRequest], Result] = lambda request: 200

    def receive(self, request: OutgoingRequest) -> Reply:
        self.requests.append(request)
        result = self.answer(request)
        if isinstance(result, DeliveryError):
            raise result
        return Reply(result) if isinstance(result, int) else result

    def reject(self, *bad: SendLogEntry, status: int = 400) -> None:
        """Answer that status to every request which carries one of these."""
        ids = {entry.pk for entry in bad}
        self.answer = lambda request: status if ids & set(request.entry_ids) else 200

    @property
    def sizes(self) -> list[int]:
        """How many events each request carried."""
        return [len(request.entry_ids) for request in self.requests]

    @property
    def times_sent(self) -> Counter[int]:
        """In how many requests each entry was."""
        return Counter(pk for request in self.requests for pk in request.entry_ids)


class ScriptedBackend(Backend):
    """Sends nothing anywhere: asks the test's script."""

    script: ClassVar[Script]

    def send(self, request: OutgoingRequest) -> Reply:
        return self.script.receive(request)


@pytest.fixture
def script(settings: Any) -> Iterator[Script]:
    """The vendor as the test wants it; answers 200 until told otherwise."""
    ScriptedBackend.script = Script()
    configure(settings, BACKEND="tests.support.delivering.ScriptedBackend")
    return ScriptedBackend.script


def configure(settings: Any, **changes: Any) -> None:
    """Change keys of DJANGO_VT and leave the others."""
    settings.DJANGO_VT = {**settings.DJANGO_VT, **changes}


def pending(count: int = 1, **columns: Any) -> list[SendLogEntry]:
    """So many entries that are due now."""
    now = timezone.now()
    common = {
        "account_id": ACCOUNT,
        "event_type": "wishlist",
        "payload": '{"userId":"0111","sessionId":"013123","type":"wishlist"}',
        "identity": "pixel:0111_013123",
        "created_at": now,
        "due_at": 0,
    }
    values = stored({**common, **columns})
    return SendLogEntry.objects.bulk_create(SendLogEntry(**values) for _ in range(count))


def stored(columns: dict[str, Any]) -> dict[str, Any]:
    """Columns as the tables have them: but for three of them, times are milliseconds of the database's clock."""
    return {
        name: milliseconds(value) if isinstance(value, datetime) and name not in FOR_PEOPLE else value
        for name, value in columns.items()
    }


FOR_PEOPLE = ("created_at", "sent_at", "at")


def endpoint_row(account_id: str = ACCOUNT, event_type: str = "wishlist", **columns: Any) -> Endpoint:
    """The row of an address, that of `pending` unless told otherwise."""
    values = {"account_id": account_id, "event_type": event_type, "address": DEFAULTS["ENDPOINT"]}
    return Endpoint.objects.create(**stored({**values, **columns}))


def ms(moment: datetime) -> int:
    """A moment as the queue's columns hold it: milliseconds since 1970 UTC."""
    return milliseconds(moment)


def one(**columns: Any) -> SendLogEntry:
    """An entry that is due now."""
    [entry] = pending(**columns)
    return entry


def statuses() -> Counter[str]:
    """How many entries stand where."""
    return Counter(SendLogEntry.objects.values_list("status", flat=True))


def endpoint() -> Endpoint:
    """The row of the tests' one endpoint."""
    return Endpoint.objects.get()


def until_settled(clock: Any, most: int = 200) -> float:
    """Deliver, and let the time pass until something can be tried again; gives the seconds that passed."""
    began = clock.now
    for _ in range(most):
        with Delivery("default") as delivery:
            delivery.run()
            seconds = delivery.seconds_until_due()
        if seconds is None:
            return (clock.now - began).total_seconds()
        clock.advance(seconds)
    raise AssertionError(f"not settled: {statuses()}")


def statements(captured: list[dict[str, str]]) -> list[str]:
    """The verbs of the SQL that was captured, without what begins and ends transactions."""
    verbs = [query["sql"].split()[0].upper() for query in captured]
    return [verb for verb in verbs if verb not in {"BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK"}]
