"""An async shop loses no order: every form records on a running event loop, and the sync ones warn once."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from django_vt import atrack, identity, remember_identity, track
from django_vt.adapters import report
from django_vt.events import Event
from django_vt.identity import Identity
from django_vt.models import SendLogEntry
from django_vt.models.send_log import Status
from django_vt.recording import event_loop
from django_vt.signals import order_placed
from django_vt.visitors import serving
from tests.support.ordering import PIXEL, PIXEL_COOKIE, confirmation, order, visitor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _new_process(monkeypatch):
    monkeypatch.setattr(event_loop, "_warned", threading.Event())


def on_a_loop(call):
    async def run():
        result = call()
        return await result if asyncio.iscoroutine(result) else result

    return async_to_sync(run)()


@pytest.mark.parametrize(
    ("call", "warns"),
    [
        (lambda: order_placed.send(sender=None, **order(request=visitor())), True),
        (lambda: order_placed.asend(sender=None, **order(request=visitor())), False),
        (lambda: atrack(confirmation(), request=visitor()), False),
        (lambda: track(confirmation(), request=visitor()), True),
    ],
    ids=["send", "asend", "atrack", "track"],
)
def test_every_form_records_the_order(call, warns, caplog):
    on_a_loop(call)
    entry = SendLogEntry.objects.get()
    assert (entry.status, entry.identity) == (Status.SENT, PIXEL.stored_form)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * warns


def test_the_entry_is_given_back():
    assert on_a_loop(lambda: track(confirmation(), request=visitor())) == SendLogEntry.objects.get()


def test_an_order_that_cannot_be_sent_is_recorded_there_too():
    on_a_loop(lambda: order_placed.send(sender=None, **order(total=None)))
    assert (SendLogEntry.objects.get().status, SendLogEntry.objects.get().reason) == (Status.SKIPPED, "invalid: total")


def test_it_warns_once_a_process(caplog):
    for number in range(3):
        on_a_loop(lambda number=number: track(confirmation(order_id=str(number)), request=visitor()))
    assert SendLogEntry.objects.count() == 3
    assert len(caplog.messages) == 1
    assert "await order_placed.asend(...)" in caplog.text


def test_an_async_view_records_its_order():
    async def buy():
        client = AsyncClient()
        client.cookies["_vt_user"] = PIXEL_COOKIE
        return await client.post("/buy-async/", {"number": "100023"})

    assert async_to_sync(buy)().content == b"100023"
    assert SendLogEntry.objects.get().identity == PIXEL.stored_form


def test_errors_come_out_where_the_project_wants_them(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "FAIL_SILENTLY": False}
    with pytest.raises(AttributeError):
        on_a_loop(lambda: track("junk", request=visitor()))


class NoMoreThreads(threading.Thread):
    """As where a container has reached its limit of them, or the process is about to end."""

    def start(self):
        raise RuntimeError("can't start new thread")


CALLS_ON_A_LOOP = [
    lambda: order_placed.send(sender=None, **order(request=visitor())),
    lambda: order_placed.send(sender=None, **order(total=None)),
    lambda: track(confirmation(), request=visitor()),
    lambda: report(confirmation),
    lambda: remember_identity(visitor(), "100023"),
]


@pytest.mark.parametrize("call", CALLS_ON_A_LOOP)
def test_where_no_thread_can_be_started_the_log_says_so_and_the_shopper_goes_on(call, caplog, monkeypatch):
    monkeypatch.setattr(event_loop.threading, "Thread", NoMoreThreads)
    event_loop._warned.set()
    asyncio.run(on_this_loop(call))
    assert "Could not record what a sync call on a running event loop told: RuntimeError" in caplog.messages
    assert not SendLogEntry.objects.exists()


def test_where_no_thread_can_be_started_that_is_raised_where_the_project_wants_it(settings, monkeypatch):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "FAIL_SILENTLY": False}
    monkeypatch.setattr(event_loop.threading, "Thread", NoMoreThreads)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        asyncio.run(on_this_loop(lambda: track(confirmation(), request=visitor())))


async def on_this_loop(call):
    call()


def test_nothing_is_recorded_where_the_app_is_off(settings, caplog):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ENABLED": False}
    assert on_a_loop(lambda: track(confirmation())) is None
    assert caplog.records == []


def threads():
    return {thread.name for thread in threading.enumerate()}


def test_the_thread_ends_with_the_call_and_is_not_the_loops():
    ran_in = []
    on_a_loop(lambda: event_loop.in_thread(lambda: ran_in.append(threading.current_thread())))
    assert ran_in[0].name == "django-vt-record"
    assert ran_in[0] is not threading.current_thread()
    assert not ran_in[0].is_alive()


def test_what_the_call_raises_is_raised_even_if_it_ends_the_process():
    def end():
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        event_loop.in_thread(end)


served = []


def who_is_served(event, known, request):
    served.append(identity.current())
    return event


def test_the_request_being_served_is_known_in_that_thread(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "BEFORE_RECORD": f"{__name__}.who_is_served"}
    token = serving.start_serving(visitor())
    try:
        on_a_loop(lambda: track(Event("wishlist"), identity=Identity(vtsid="site-1")))
    finally:
        serving.stop_serving(token)
    assert served == [PIXEL]


def test_where_django_is_told_to_allow_it_the_call_stays_in_its_thread(monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    assert on_a_loop(event_loop.runs_here) is False
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE")
    assert on_a_loop(event_loop.runs_here) is True
    assert event_loop.runs_here() is False
