"""No report of an error shows what our functions knew of a shopper, whichever way the error comes out."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import contextmanager
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db import connection, transaction
from django.test import Client
from django.utils.functional import SimpleLazyObject
from django.views.debug import ExceptionReporter
from django.views.decorators.debug import sensitive_variables

import django_vt
from django_vt import signals
from django_vt.adapters import buyers_identity, remember_buyer, report
from django_vt.admin import columns, entry_page, lookup
from django_vt.delivery import deliver_due
from django_vt.discretion import discreetly
from django_vt.events import BaseEvent, Confirmation, Event, Item, Login
from django_vt.identity import Identity
from django_vt.management.commands.forget_shopper import Command
from django_vt.middleware import VTIdentityMiddleware
from django_vt.recording.receivers import record_login, record_order
from django_vt.signals import order_placed
from django_vt.visitors import serving
from tests.docs.public_names import described, thing
from tests.projects.shop.models import Order
from tests.support.delivering import pending
from tests.support.ordering import request_with
from tests.support.people import url

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.any_database,
    pytest.mark.ends,
]

# Never in one piece, and never a variable of the functions below: a report shows their lines and their variables.
ADDRESS = "@".join(("finch", "leak.example"))
PHONE = "-".join(("0721", "555", "0199"))
PIXEL = "_".join(("7775550199000", "8885550199000"))
VTSID = "-".join(("site", "555", "0199"))
TRACES = ("finch", "leak.example", "555-0199", "5550199")
EXTRA = {"phone": PHONE, "cc": ADDRESS}
SECRETIVE = {"DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher", "ACCOUNT_ID": "acc123"}


class ShopError(Exception):
    """What the shop's own code raises."""


def fail(*args, **kwargs):
    del args, kwargs
    raise ShopError


def failing_items():
    yield Item("A-1", 1)
    raise ShopError


def breaking_items():
    """After it the order's transaction is gone."""
    execute("ROLLBACK")
    yield from failing_items()


def wrapping_items():
    try:
        yield Item(ADDRESS, 0)
    except ValueError as error:
        raise ShopError from error


def while_another_is_handled(way):
    try:
        fail()
    except ShopError:
        way()


class Returned(BaseEvent):
    type, email, reference, dedup_key = "returned", ADDRESS, "", None
    body = fail


@contextmanager
def refused(verb, table="django_vt_sendlogentry"):
    """The database refuses it by itself: its error comes through Django's functions and the driver's."""
    execute(f"CREATE TRIGGER refused BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END")
    try:
        yield
    finally:
        execute("DROP TRIGGER refused")


def execute(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def out_of_reach(table="django_vt_sendlogentry"):
    """The database lets nobody read it: it says so by itself, too."""

    def authorize(action, name, *_others):
        return sqlite3.SQLITE_DENY if (action, name) == (sqlite3.SQLITE_READ, table) else sqlite3.SQLITE_OK

    connection.ensure_connection()
    connection.connection.set_authorizer(authorize)
    try:
        yield
    finally:
        connection.connection.set_authorizer(lambda *_asked: sqlite3.SQLITE_OK)


def order(**changes):
    known = {"order_id": ADDRESS, "total": 1, "items": [("A-1", 1)], "email": ADDRESS, "extra": EXTRA}
    return {**known, **changes}


def confirmation():
    return Confirmation(**order())


def cookies():
    return request_with(_vt_user=PIXEL, _vtsid=VTSID)


def of_database(verb, way):
    with refused(verb):
        way()


def out_of_its_reach(way):
    with out_of_reach():
        way()


def in_order(way):
    with transaction.atomic():
        way()


def on_event_loop(way):
    async def run():
        way()

    asyncio.run(run())


def being_served(way):
    token = serving.start_serving(request_with(_vt_user=PIXEL))
    serving.current_request().user = User(username="anna")
    try:
        way()
    finally:
        serving.stop_serving(token)


def deliver():
    pending(1, payload=f'{{"email":"{ADDRESS}"}}')
    with refused("UPDATE"):
        deliver_due()


def log_in(using):
    using(sender=User, request=cookies(), user=User(username="anna", email=ADDRESS))


CONSTRUCTIONS = {
    "order with a wrong total": lambda: Confirmation(**order(total=ADDRESS)),
    "order with wrong data": lambda: Confirmation(**order(extra={"email": ADDRESS})),
    "order with a wrong item": lambda: Confirmation(**order(items=[(ADDRESS, 0)])),
    "order without arguments": lambda: Confirmation(ADDRESS),
    "order with one too many": lambda: Confirmation(**order(colour=ADDRESS)),
    "order whose items fail": lambda: Confirmation(**order(items=failing_items())),
    "order whose items wrap our error": lambda: Confirmation(**order(items=wrapping_items())),
    "item": lambda: Item(ADDRESS, ADDRESS),
    "item with one too many": lambda: Item(ADDRESS, 1, ADDRESS),
    "login": lambda: Login(ADDRESS, ADDRESS * 40),
    "login without arguments": lambda: Login(email=ADDRESS),
    "login with wrong attributes": lambda: Login(ADDRESS, "app", {**EXTRA, "email": ADDRESS}),
    "event": lambda: Event("x", {"cc": ADDRESS, "userId": PIXEL}),
    "event with one too many": lambda: Event("x", {"cc": ADDRESS}, colour=ADDRESS),
    "event with a wrong reference": lambda: Event("x", EXTRA, reference=ADDRESS * 40),
    "identity": lambda: Identity(vtsid=VTSID, email=ADDRESS + "\0"),
    "identity with one too many": lambda: Identity("", "", VTSID, ADDRESS, ADDRESS),
    "identity that fails": lambda: Identity(vtsid=VTSID, email=SimpleLazyObject(fail)),
    "half an identity": lambda: Identity(user_id=PIXEL.partition("_")[0]),
    "identity of a dict": lambda: Identity.from_dict({"vtsid": VTSID, "colour": ADDRESS}),
    "identity of a stored form": lambda: Identity.from_stored_form(f"pixel:{PIXEL}_{ADDRESS}"),
}
CALLS = {
    "track": lambda: django_vt.track(Event("x", EXTRA), identity=Identity(email=ADDRESS)),
    "track with cookies": lambda: django_vt.track(Event("x", EXTRA), request=cookies()),
    "track of an order": lambda: django_vt.track(confirmation()),
    "track of an order in a transaction": lambda: in_order(lambda: django_vt.track(confirmation())),
    "track on a loop": lambda: on_event_loop(lambda: django_vt.track(confirmation())),
    "atrack": lambda: asyncio.run(django_vt.atrack(confirmation())),
    "signal": lambda: order_placed.send(sender=Order, request=cookies(), **order()),
    "awaited signal": lambda: asyncio.run(order_placed.asend(sender=Order, **order())),
    "receiver": lambda: record_order(Order, **order()),
    "login's signal": lambda: log_in(user_logged_in.send),
    "login's receiver": lambda: log_in(record_login),
    "adapter": lambda: report(confirmation, reference=ADDRESS, account_id="acc123"),
}
OTHERS = {
    "items that fail": lambda: order_placed.send(sender=Order, **order(items=failing_items())),
    "items that fail, awaited": lambda: asyncio.run(order_placed.asend(sender=Order, **order(items=failing_items()))),
    "items that break a transaction": lambda: in_order(
        lambda: order_placed.send(sender=Order, **order(items=breaking_items()))
    ),
    "identity that fails": lambda: django_vt.track(confirmation(), identity=SimpleLazyObject(fail)),
    "identity of an adapter": lambda: report(confirmation, identity=fail, reference=ADDRESS),
    "making in an adapter": lambda: report(fail, reference=ADDRESS, request=cookies()),
    "body of an event": lambda: django_vt.track(Returned(), identity=Identity(email=ADDRESS), request=cookies()),
    "what is no event": lambda: django_vt.track(ADDRESS, request=cookies()),
    "is it the buyer": lambda: being_served(lambda: buyers_identity(fail)),
    "remembering the buyer": lambda: being_served(lambda: remember_buyer(ADDRESS, fail)),
    "remembering": lambda: django_vt.remember_identity(cookies(), SimpleLazyObject(fail)),
    "forgetting nobody": lambda: django_vt.forget_shopper(address=ADDRESS, vtsid=VTSID),
    "forgetting": lambda: out_of_its_reach(lambda: django_vt.forget_shopper(address=ADDRESS)),
    "forgetting by pixel": lambda: out_of_its_reach(lambda: django_vt.forget_shopper(pixel=PIXEL)),
    "exporting": lambda: out_of_its_reach(lambda: django_vt.export_shopper(address=ADDRESS)),
    "command": lambda: out_of_its_reach(
        lambda: Command().execute(
            email=ADDRESS, pixel=None, vtsid=None, database=None, verbosity=1, dry_run=True, skip_checks=True,
            force_color=False, no_color=False,
        )
    ),
    "command with too much": lambda: Command().execute(email=ADDRESS, vtsid=VTSID, force_color=False, no_color=False),
    "while another is handled": lambda: while_another_is_handled(lambda: Login(ADDRESS, "")),
    "delivery": deliver,
    "middleware": lambda: VTIdentityMiddleware(fail)(cookies()),
    "BEFORE_RECORD": lambda: django_vt.track(confirmation(), request=cookies()),
}  # fmt: skip
WAYS = {
    **CONSTRUCTIONS,
    **OTHERS,
    **{f"{name}, which the database refuses": partial(of_database, "INSERT", way) for name, way in CALLS.items()},
}


def reports(request, thrown):
    reporter = ExceptionReporter(request, *thrown, is_email=request is None)
    return reporter.get_traceback_html() + reporter.get_traceback_text()


def found_in(text):
    return [trace for trace in TRACES if trace in text.lower()]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("name", WAYS)
def test_an_error_takes_nothing_of_a_shopper_along(name, debug, settings):
    settings.DEBUG = debug
    hook = {"BEFORE_RECORD": f"{__name__}.fail"} if name == "BEFORE_RECORD" else {}
    settings.DJANGO_VT = {**SECRETIVE, "FAIL_SILENTLY": name == "items that break a transaction", **hook}
    try:
        WAYS[name]()
    except Exception:  # noqa: BLE001 - what it is does not matter here
        text = reports(None, sys.exc_info())
    assert "Error" in text or "InvalidField" in text
    assert found_in(text) == []


def test_what_the_shops_own_functions_knew_is_still_told(settings):
    """Also beyond ours: the shop's developers look for their own mistake there."""
    settings.DEBUG, settings.DJANGO_VT = True, {**SECRETIVE, "FAIL_SILENTLY": False}

    def items():
        kept = "what the shop knew"
        yield kept[1 / 0]

    try:
        order_placed.send(sender=Order, **order(items=items()))
    except ZeroDivisionError:
        text = reports(None, sys.exc_info())
    assert "&#x27;what the shop knew&#x27;" in text
    assert "salvage.py" in text
    assert found_in(text) == []


@sensitive_variables("kept")
def hook(_event, _identity, _request):
    kept = PHONE
    fail(kept)


def test_what_the_shop_marks_as_sensitive_stays_hidden_where_we_call_it(settings):
    settings.DEBUG, settings.DJANGO_VT = False, {**SECRETIVE, "FAIL_SILENTLY": False}
    settings.DJANGO_VT["BEFORE_RECORD"] = f"{__name__}.hook"
    try:
        django_vt.track(Event("x"), identity=Identity(email=ADDRESS))
    except ShopError:
        text = reports(None, sys.exc_info())
    assert "fail(kept)" in text
    assert found_in(text) == []


def test_the_search_finds_what_a_function_of_ours_would_tell():
    """Else nothing would be shown above, whatever stood there."""
    try:
        Login.__init__.__wrapped__(object.__new__(Login), ADDRESS, "")
    except ValueError:
        text = reports(None, sys.exc_info())
    assert found_in(text) == ["finch", "leak.example"]


PAGES = {
    "look-up": (lookup, "hash_of_address", lambda client, _entry: client.post(url("search"), {"text": ADDRESS})),
    "look-up in the database": (
        lookup.functions, "first_ids", lambda client, _entry: client.post(url("search"), {"text": ADDRESS}),
    ),
    "list": (columns.Columns, "why", lambda client, _entry: client.get(url("changelist"))),
    "entry": (entry_page, "neighbourhoods", lambda client, entry: client.get(url("change", entry.pk))),
    "entry's request": (entry_page, "unquote_plus", lambda client, entry: client.get(url("change", entry.pk))),
    "entry's template": (entry_page, "render_to_string", lambda client, entry: client.get(url("change", entry.pk))),
}  # fmt: skip


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_the_admin_that_fails_tells_nothing_of_a_shopper(page, debug, settings, monkeypatch, caplog):
    settings.DEBUG, settings.DJANGO_VT = debug, SECRETIVE
    module, name, ask = PAGES[page]
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    client.raise_request_exception = False
    [entry] = pending(1, payload=f'{{"email":"{ADDRESS}"}}', identity=f"email:{ADDRESS}")
    monkeypatch.setattr(module, name, fail)
    response = ask(client, entry)
    assert response.status_code == 500
    (logged,) = [record for record in caplog.records if record.exc_info and record.name == "django.request"]
    assert found_in(reports(logged.request, logged.exc_info) + response.content.decode()) == []


def test_every_public_function_and_constructor_is_discreet():
    """So that a new one is: but for what has no values of a shopper, or is for tests alone."""
    names = [name for name in described() if not name.startswith(("django_vt.testing", "django_vt.contrib.sentry"))]
    values = {"django_vt.events.naming", "django_vt.visitors.current_request", "django_vt.delivery.DeliveryReport"}
    values |= {"django_vt.events.AnyEvent", "django_vt.events.BaseEvent", "django_vt.middleware.VTIdentityMiddleware"}
    values |= {"django_vt.protocol.packing.OutgoingRequest", "django_vt.protocol.outcome.Reply"}
    left = {name for name in names if name.rpartition(".")[0] in {"django_vt.backends.base", "django_vt.exceptions"}}
    left |= {name for name in names if name.startswith("django_vt.dispatchers.")}
    for name in {*names} - values - left:
        called = thing(name)
        made = called.__init__ if isinstance(called, type) else called
        assert made.__code__.co_filename == discreetly.__code__.co_filename, name
    assert isinstance(signals.order_placed, signals._OrderPlaced)
