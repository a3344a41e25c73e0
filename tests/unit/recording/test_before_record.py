"""BEFORE_RECORD: a project's word on each event before it is recorded. Where it fails, consent is not known."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from django_vt import track
from django_vt.exceptions import InvalidField
from django_vt.identity import NOBODY, Identity
from django_vt.models import RememberedIdentity, SendLogEntry
from django_vt.recording.attribution import key_of
from django_vt.signals import order_placed
from tests.projects.shop.models import Order
from tests.support.ordering import PIXEL, confirmation, order, visitor

pytestmark = pytest.mark.django_db

calls: list[Any] = []


def look(event, identity, request):
    calls.append((event, identity, request))
    return event


def drop(event, identity, request):
    return None


def change(event, identity, request):
    return dataclasses.replace(event, order_id="changed", email="changed@example.com")


def fail(event, identity, request):
    raise LookupError("canary@example.com")


def fail_in_the_database(event, identity, request):
    Order.objects.create(number="1", total=1)
    Order.objects.create(number="1", total=1)


def fail_with_the_transaction(event, identity, request):
    """As a deadlock on MariaDB, which leaves no savepoint to go back to."""
    connection.savepoint_rollback("none that is left")


@pytest.fixture
def before_record(settings):
    def set_hook(hook, **more):
        name = hook if isinstance(hook, str) else f"{__name__}.{hook.__name__}"
        settings.DJANGO_VT = {**settings.DJANGO_VT, "BEFORE_RECORD": name, **more}

    calls.clear()
    return set_hook


def test_it_gets_the_event_the_identity_that_was_chosen_and_the_request(before_record):
    before_record(look)
    event, request = confirmation(email="a@example.com"), visitor()
    track(event, request=request, identity=Identity(vtsid="site-1"))
    track(event)
    track(confirmation())
    assert calls == [
        (event, PIXEL, request),
        (event, Identity(email="a@example.com"), None),
        (confirmation(), NOBODY, None),
    ]


def test_what_it_drops_is_not_recorded(before_record, caplog):
    before_record(drop)
    assert track(confirmation(), request=visitor()) is None
    assert not SendLogEntry.objects.exists()
    assert caplog.records == []


def test_what_it_changes_is_recorded_as_changed_and_identified_anew(before_record):
    before_record(change)
    entry = track(confirmation())
    assert (entry.reference, entry.identity) == ("changed", "email:changed@example.com")


def test_where_it_raises_the_event_is_dropped_and_that_is_logged_once(before_record, caplog):
    before_record(fail)
    order_placed.send(sender=None, **order(request=visitor()))
    assert not SendLogEntry.objects.exists()
    assert caplog.messages == ["BEFORE_RECORD raised LookupError: confirmation 100023 is dropped"]


def test_where_it_cannot_be_imported_the_event_is_dropped_and_that_is_logged(before_record, caplog):
    before_record("no.such.hook")
    assert track(confirmation(), request=visitor()) is None
    assert caplog.messages == ["BEFORE_RECORD raised ModuleNotFoundError: confirmation 100023 is dropped"]


def test_where_it_breaks_its_savepoint_the_order_stays_whole(before_record, caplog):
    before_record(fail_in_the_database)
    Order.objects.create(number="100023", total=1)
    order_placed.send(sender=None, **order(request=visitor()))
    assert [placed.number for placed in Order.objects.all()] == ["100023"]
    assert caplog.messages == ["BEFORE_RECORD raised IntegrityError: confirmation 100023 is dropped"]


def test_where_it_has_cost_the_transaction_that_is_raised(before_record, caplog):
    def execute(run, sql, params, many, context):
        if sql.startswith("ROLLBACK TO SAVEPOINT"):
            raise OperationalError(1305, "SAVEPOINT does not exist")
        return run(sql, params, many, context)

    before_record(fail_with_the_transaction)
    with pytest.raises(OperationalError, match="1305"), transaction.atomic(), connection.execute_wrapper(execute):
        order_placed.send(sender=None, **order(request=visitor()))
    assert caplog.records == []


@pytest.mark.parametrize(("hook", "error"), [(fail, LookupError), (fail_in_the_database, IntegrityError)])
def test_its_error_is_raised_where_the_project_wants_it(before_record, hook, error):
    before_record(hook, FAIL_SILENTLY=False)
    with pytest.raises(error):
        track(confirmation(), request=visitor())


def test_what_it_drops_does_not_use_up_what_was_remembered(before_record):
    remembered = json.dumps(PIXEL.to_dict())
    RememberedIdentity.objects.create(key=key_of("100023"), identity=remembered, created_at=timezone.now())
    before_record(drop)
    track(confirmation())
    assert RememberedIdentity.objects.count() == 1


async def consent(event, identity, request):
    """As a project's that is async throughout: it queries."""
    return event if await Order.objects.acount() == 1 else None


class Asked:
    async def __call__(self, event, identity, request):
        return await consent(event, identity, request)


asked = Asked()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hook", ["consent", "asked"])
def test_an_async_one_is_awaited_in_the_orders_own_transaction(before_record, hook):
    before_record(f"{__name__}.{hook}")
    order_placed.send(sender=None, **order(request=visitor()))
    assert not SendLogEntry.objects.exists()
    with transaction.atomic():
        Order.objects.create(number="100023", total=1)
        order_placed.send(sender=None, **order(request=visitor()))
    assert SendLogEntry.objects.get().identity == PIXEL.stored_form


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("send", ["send", "asend"])
def test_an_async_one_is_awaited_on_an_event_loop_too(before_record, send):
    before_record(consent)
    Order.objects.create(number="100023", total=1)

    async def checkout():
        result = getattr(order_placed, send)(sender=None, **order(request=visitor()))
        if send == "asend":
            await result

    async_to_sync(checkout)()
    assert SendLogEntry.objects.get().identity == PIXEL.stored_form


begun: list[asyncio.Event] = []


async def hesitate(event, identity, request):
    begun[0].set()
    await asyncio.sleep(0.2)
    return event


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("times", [1, 2])
def test_a_shopper_who_closes_the_page_while_an_async_one_is_awaited_costs_no_order(before_record, times):
    before_record(hesitate)

    async def checkout():
        with suppress(asyncio.CancelledError):
            await order_placed.asend(sender=None, **order(request=visitor()))

    async def serve():
        begun[:] = [asyncio.Event()]
        view = asyncio.create_task(checkout())
        await begun[0].wait()
        for _ in range(times):
            view.cancel()
            await asyncio.sleep(0.05)
        await view

    async_to_sync(serve)()
    assert SendLogEntry.objects.get().identity == PIXEL.stored_form


async def give_up(event, identity, request):
    """As a client for a service of consents that gives up by cancelling."""
    waiting = asyncio.ensure_future(asyncio.sleep(10))
    asyncio.get_running_loop().call_soon(waiting.cancel)
    await waiting


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["send", "asend", "send on a loop"])
def test_an_async_one_that_ends_as_cancelled_drops_the_event_and_the_checkout_goes_on(before_record, form, caplog):
    before_record(give_up)

    async def checkout():
        if form == "asend":
            await order_placed.asend(sender=None, **order(request=visitor()))
        else:
            order_placed.send(sender=None, **order(request=visitor()))

    if form == "send":
        order_placed.send(sender=None, **order(request=visitor()))
    else:
        async_to_sync(checkout)()
    assert not SendLogEntry.objects.exists()
    assert "BEFORE_RECORD raised CancelledError: confirmation 100023 is dropped" in caplog.messages


def agree(event, identity, request):
    return True


def tell(event, identity, request):
    return {"email": "canary@example.com"}


@pytest.mark.parametrize(("hook", "kind"), [(agree, "bool"), (tell, "dict")])
def test_where_it_returns_anything_else_reason_and_log_name_it_and_nothing_of_the_shopper_is_kept(
    before_record, hook, kind, caplog
):
    before_record(hook)
    order_placed.send(sender=None, **order(request=visitor(), email="canary@example.com"))
    entry = SendLogEntry.objects.get()
    assert (entry.status, entry.reason, entry.reference) == ("skipped", "invalid: BEFORE_RECORD", "100023")
    assert (entry.payload, entry.identity, entry.email_hash) == ("", "", "")
    assert caplog.messages == [
        f"confirmation 100023 cannot be sent: BEFORE_RECORD: returned a {kind}, neither an event nor None"
    ]


def test_what_it_returns_is_told_of_an_order_with_a_mistake_too(before_record):
    before_record(agree)
    order_placed.send(sender=None, **order(request=visitor(), items=[("a", 0)]))
    assert SendLogEntry.objects.get().payload == ""


def test_of_an_order_with_a_mistake_it_decides_whether_the_rest_is_kept(before_record):
    before_record(drop)
    order_placed.send(sender=None, **order(request=visitor(), items=[("a", 0)]))
    assert not SendLogEntry.objects.exists()
    before_record(look)
    order_placed.send(sender=None, **order(request=visitor(), items=[("a", 0)]))
    assert SendLogEntry.objects.get().identity == PIXEL.stored_form


def test_an_error_of_its_own_is_raised_where_it_returns_anything_else_and_the_project_wants_it(before_record):
    before_record(agree, FAIL_SILENTLY=False)
    with pytest.raises(InvalidField, match="BEFORE_RECORD: returned a bool"):
        track(confirmation(), request=visitor())
