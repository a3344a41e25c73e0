"""What the project has written, a backend or who listens, may fail in any way: the engine goes on, its books right."""

from __future__ import annotations

from asyncio import CancelledError
from http import HTTPStatus

import pytest
from asgiref.sync import async_to_sync

from django_vt.delivery import deliver_due
from django_vt.exceptions import DeliveryError
from django_vt.protocol.outcome import Reply
from django_vt.signals import event_sent
from tests.support.delivering import ScriptedBackend, configure, pending, statuses

pytestmark = pytest.mark.django_db


class Untold(DeliveryError):
    """A project's own, which has no reason."""

    def __init__(self):
        pass


class Telling:
    def __str__(self):
        raise LookupError("canary@example.com")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (CancelledError(), "backend failed: CancelledError"),
        (DeliveryError(503), "backend failed"),
        (DeliveryError(None), "backend failed"),
        (Untold(), "backend failed: AttributeError"),
        (Reply(503, Telling()), "backend failed: LookupError"),
        (Reply(HTTPStatus.BAD_GATEWAY), "answered: 502"),
    ],
)
def test_a_backend_that_fails_in_whatever_way_stops_neither_the_worker_nor_other_entries(
    settings, script, monkeypatch, given, reason
):
    configure(settings, BATCH_SIZE=1)
    bad, *others = pending(3)

    def send(self, request):
        if bad.pk not in request.entry_ids:
            return Reply(HTTPStatus.OK)
        if isinstance(given, BaseException):
            raise given
        return given

    monkeypatch.setattr(ScriptedBackend, "send", send)
    assert deliver_due().sent == len(others)
    bad.refresh_from_db()
    assert (bad.status, bad.reason) == ("pending", reason)


async def cancelled():
    raise CancelledError


def test_a_listener_whose_async_call_was_cancelled_stops_no_delivery(script, caplog):
    entries = pending(2)

    def listener(**kwargs):
        async_to_sync(cancelled)()

    event_sent.connect(listener)
    try:
        assert deliver_due().sent == 2
    finally:
        event_sent.disconnect(listener)
    assert caplog.messages == [
        f"A receiver raised CancelledError; entry {entry.pk} is stored as sent" for entry in entries
    ]


def test_a_listener_that_ends_the_process_has_nothing_sent_again(settings, script):
    configure(settings, BATCH_SIZE=1)
    first, second = pending(2)
    script.answer = lambda request: 200 if first.pk in request.entry_ids else 202

    def listener(**kwargs):
        raise SystemExit

    event_sent.connect(listener)
    try:
        with pytest.raises(SystemExit):
            deliver_due()
    finally:
        event_sent.disconnect(listener)
    deliver_due()
    assert script.times_sent == {first.pk: 1, second.pk: 1}
    assert statuses() == {"sent": 2}
