"""A shop that uses the whole public API, for `mypy --strict` and pyright's strict mode. It is checked, never run.

`assert_type` fails where a type that should be known is `Any`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.core.checks import CheckMessage
from django.http import HttpRequest, HttpResponse
from django.test import Client
from typing_extensions import assert_type

from django_vt import aremember_identity, atrack, remember_identity, track
from django_vt.adapters import report
from django_vt.backends.base import Backend
from django_vt.delivery import DeliveryReport, deliver_due
from django_vt.dispatchers.base import Dispatcher
from django_vt.events import AnyEvent, Confirmation, Event, Item, Login
from django_vt.exceptions import DeliveryError, InvalidField
from django_vt.identity import Identity, current
from django_vt.models import SendLogEntry
from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest
from django_vt.signals import event_failed, event_sent, order_placed
from django_vt.testing import Answer, CapturedEvents, FakeVendor, Hang, captured_events


def buy(request: HttpRequest) -> HttpResponse:
    """The five steps' view, and a payment to come."""
    order_placed.send(sender=None, request=request, order_id="100023", total=Decimal("234.12"), items=[Item("A", 2)])
    assert_type(remember_identity(request, UUID(int=1), using="default"), None)
    return HttpResponse("Thank you.")


async def buy_async(request: HttpRequest) -> HttpResponse:
    """The same, async."""
    await order_placed.asend(sender=None, request=request, order_id=100023, total="234.12", items=[("A", 2)])
    assert_type(await atrack(Login("ana@example.com", "website"), request=request), SendLogEntry | None)
    assert_type(await aremember_identity(request, 100023), None)
    return HttpResponse("Thank you.")


def record(request: HttpRequest) -> SendLogEntry | None:
    """Any event, and what is known of its entry."""
    confirmation = Confirmation(
        100023, "234.12", [Item("A", 2), ("B", 1), {"id": "C", "quantity": 3}], email=None, extra={"coupon": "TEA"}
    )
    assert_type(confirmation.total, Decimal)
    assert_type(confirmation.items, tuple[Item, ...])
    event: AnyEvent = confirmation
    assert_type(track(event, identity=Identity(vtsid="abc"), using="default"), SendLogEntry | None)
    entry = track(Event("wishlist", {"productId": "123"}, reference="123", dedup_key="123"), request=request)
    if entry is not None:
        tell(entry)
    return entry


def tell(entry: SendLogEntry) -> str:
    """The columns have types, too."""
    assert_type(entry.status, str)
    assert_type(entry.attempts, int)
    assert_type(entry.created_at, datetime)
    assert_type(entry.sent_at, datetime | None)
    assert_type(entry.response_status, int | None)
    assert_type(entry.event, dict[str, Any] | None)
    failed = SendLogEntry.objects.filter(status=SendLogEntry.Status.FAILED)
    return f"{entry.reference}: {entry.reason}, beside {failed.count()} that failed"


def whose(request: HttpRequest) -> dict[str, str]:
    """Identities, kept and read."""
    known = Identity.from_cookies(request.COOKIES)
    assert_type(known.ways, tuple[Literal["pixel", "vtsid", "email"], ...])
    assert_type(current(), Identity)
    return Identity.from_dict(known.to_dict()).only("pixel").to_dict()


def on_paid(sender: object, *, order: Any, request: HttpRequest | None = None, **others: object) -> None:
    """An adapter."""
    report(
        lambda: Confirmation(order.number, order.total, []), reference=order.number, request=request, identity=current
    )


def on_outcome(sender: type[SendLogEntry], *, entry: SendLogEntry, **others: object) -> None:
    """A receiver."""
    tell(entry)


event_sent.connect(on_outcome)
event_failed.connect(on_outcome)


class PigeonBackend(Backend):
    """A way of its own for the requests to leave."""

    def send(self, request: OutgoingRequest) -> Reply:
        """Send, or not."""
        assert_type(request.payloads, tuple[str, ...])
        if request.shared:
            raise DeliveryError("unreachable")
        return Reply(429, retry_after="120")


class PatientDispatcher(Dispatcher):
    """A dispatcher of its own."""

    def wake(self, using: str) -> None:
        """Deliver at once."""
        done = deliver_due(limit=20, using=using)
        assert_type(done, DeliveryReport)
        assert_type((done + done).sent, int)

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """Nothing to say."""
        return []


def test_an_order_arrives(client: Client) -> None:
    """A test of the shop's."""
    with FakeVendor() as vendor, captured_events() as events:
        vendor.misbehave(Answer(503, retry_after=120), when=lambda request: "100023" in request.order_ids)
        vendor.misbehave(Hang(), times=1)
        client.post("/buy/")
        vendor.wait_for(lambda vendor: vendor.orders["100023"] == 2, timeout=1)
        assert_type(vendor.endpoint, str)
        assert_type(events, CapturedEvents)
        assert_type(events[0], SendLogEntry)


@captured_events()
def test_a_junk_order_is_refused(events: CapturedEvents) -> None:
    """The decorator keeps the signature."""
    try:
        Confirmation("", "a lot", [])
    except InvalidField as error:
        assert_type(error.field, str)
