"""Nothing of a shopper is in a log record of any logger at any level, an exception's text, or a str() or repr()."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import ClassVar

import pytest
import requests
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client

from django_vt import track
from django_vt.backends.http import HttpBackend
from django_vt.delivery import deliver_due
from django_vt.dispatchers.manual import ManualDispatcher
from django_vt.events import Confirmation, Event, Item, Login
from django_vt.exceptions import DjangoVTError, InvalidField
from django_vt.identity import Identity
from django_vt.models import Endpoint, SendAttempt, SendLogEntry
from django_vt.recording import record
from django_vt.signals import event_failed, event_sent, order_placed
from django_vt.testing import Answer, FakeVendor, Hang
from tests.projects.shop.models import Order
from tests.support.canary import (
    CANARY,
    Everything,
    holds_canary,
    objects_before_kept_apart,
    thrown_texts,
    told_by_objects,
)
from tests.support.misbehaviour import (
    DripBody,
    DripHead,
    EarlyHints,
    Garbage,
    HangUp,
    HangUpAfterAnswer,
    HugeBody,
    MalformedHeaders,
    ResetAfterReading,
    ResetBeforeReading,
    TruncatedBody,
    redirect,
)
from tests.support.ordering import order, request_with

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database, pytest.mark.ends]

ADDRESS = "Canary.Bird@leak.example"
COOKIES = {"_vt_user": "canary-1_canary-2_false", "_vtsid": "canary-3"}

MISBEHAVIOURS = [
    Answer(200), Answer(400), Answer(404), Answer(414), Answer(429, retry_after=ADDRESS), Answer(500),
    Answer(200, headers={"Set-Cookie": "canary=1"}, body=b"canary" * 2000), DripBody(), DripHead(), Garbage(), Hang(),
    HugeBody(), MalformedHeaders(), redirect("http://127.0.0.1:1/?canary"), ResetAfterReading(), ResetBeforeReading(),
    TruncatedBody(), EarlyHints(), HangUp(), HangUpAfterAnswer(),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _searches_are_short() -> Iterator[None]:
    with objects_before_kept_apart():
        yield


@pytest.fixture
def everything_logged() -> Iterator[Everything]:
    handler = Everything()
    known = [logging.getLogger(name) for name in [*logging.root.manager.loggerDict]]
    before = [(logger, logger.level, logger.propagate, logger.disabled) for logger in [logging.root, *known]]
    for logger, *_state in before:
        logger.setLevel(1)
        logger.propagate, logger.disabled = True, False
    logging.root.addHandler(handler)
    yield handler
    logging.root.removeHandler(handler)
    for logger, level, propagate, disabled in before:
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled


@pytest.fixture(autouse=True)
def nothing_leaks(everything_logged, capfd) -> Iterator[Everything]:
    """After every test here: no log, no output, no object of ours holds the canary."""
    LookingBackend.told.clear()
    yield everything_logged
    assert LookingBackend.told == []
    assert [text for text in everything_logged.texts if holds_canary(text)] == []
    assert not any(holds_canary(stream) for stream in capfd.readouterr())
    assert told_by_objects() == []


class LookingBackend(HttpBackend):
    """Sends, and looks at all that is alive while it does."""

    told: ClassVar[list[str]] = []

    def send(self, request):
        self.told += told_by_objects()
        try:
            return super().send(request)
        except DjangoVTError as error:
            self.told += filter(holds_canary, thrown_texts(error))
            raise


@pytest.fixture
def configured(settings):
    def configure(**changes):
        settings.DJANGO_VT = {
            **settings.DJANGO_VT,
            "BACKEND": f"{__name__}.LookingBackend",
            "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher",
            "TIMEOUT": (0.2, 0.2),
            **changes,
        }

    configure()
    return configure


@pytest.fixture
def fake_vendor(configured) -> Iterator[FakeVendor]:
    with FakeVendor() as vendor:
        configured(ENDPOINT=vendor.endpoint)
        yield vendor


def shop() -> None:
    """A shopper logs in and buys, once by each way to be known."""
    User.objects.create_user("shopper", ADDRESS, "secret")
    client = Client()
    for name, value in COOKIES.items():
        client.cookies[name] = value
    client.post("/login/", {"username": "shopper", "password": "secret"})
    for number, cookies in enumerate([COOKIES, {"_vtsid": COOKIES["_vtsid"]}, {}]):
        request = request_with(**cookies)
        extra = {"note": ADDRESS}
        arguments = order(order_id=str(number), email=ADDRESS, extra=extra, request=request)
        with transaction.atomic():
            order_placed.send(sender=Order, **arguments)
        track(Event("wishlist", {"mail": ADDRESS}, reference=ADDRESS, dedup_key=ADDRESS), request=request)


@pytest.mark.parametrize("misbehaviour", MISBEHAVIOURS, ids=lambda way: type(way).__name__)
def test_a_vendor_that_behaves_so_brings_nothing_to_light(fake_vendor, misbehaviour):
    fake_vendor.misbehave(misbehaviour)
    shop()
    deliver_due(limit=2)
    deliver_due(ids=list(SendLogEntry.objects.values_list("pk", flat=True)[:2]))
    assert SendLogEntry.objects.count() == 5
    told = [*SendLogEntry.objects.all(), *SendAttempt.objects.all(), *Endpoint.objects.all()]
    assert not any(map(holds_canary, [*map(str, told), *map(repr, told)]))
    assert all(SendLogEntry.objects.values_list("identity", flat=True))


def test_the_search_finds_what_urllib3_says_of_other_requests(fake_vendor, everything_logged):
    requests.get(fake_vendor.endpoint, params={"data": CANARY}, timeout=5)
    found = [text for text in everything_logged.texts if holds_canary(text)]
    assert found
    assert all("urllib3" in text for text in found)
    everything_logged.texts.clear()


def test_the_search_finds_an_object_that_tells(everything_logged):
    teller = DjangoVTError(CANARY)
    assert sorted(told_by_objects()) == [f"DjangoVTError('{CANARY}')", CANARY]
    del teller


def test_a_vendor_that_refuses_connections_brings_nothing_to_light(fake_vendor, configured):
    configured(ENDPOINT=fake_vendor.endpoint, TIMEOUT=(5, 5))
    fake_vendor.refuse()
    shop()
    deliver_due()
    assert "unreachable" in set(SendAttempt.objects.values_list("reason", flat=True))


@pytest.mark.parametrize("host", ["http://127.0.0.1:1/event", "https://localhost:1/event", "http://[::1"])
def test_an_address_that_leads_nowhere_brings_nothing_to_light(configured, host):
    configured(ENDPOINT=host)
    shop()
    deliver_due(limit=1)
    assert SendAttempt.objects.exists()


@pytest.mark.parametrize("error", [OperationalError, IntegrityError, ValueError, LookupError])
def test_a_database_that_tells_it_in_its_errors_is_not_repeated(configured, error, everything_logged):
    def execute(run, sql, params, many, context):
        if "INSERT INTO" in sql and "sendlogentry" in sql:
            raise error(f"Key (identity)=({ADDRESS}) already exists")
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        shop()
    assert not SendLogEntry.objects.exists()
    assert any(error.__name__ in text for text in everything_logged.texts)


def raising(*args, **kwargs):
    raise LookupError(ADDRESS)


def telling(event, identity, request):
    return {"email": ADDRESS}


@pytest.mark.parametrize("hook", ["raising", "telling"])
def test_a_hook_that_tells_it_is_not_repeated(configured, hook):
    configured(BEFORE_RECORD=f"{__name__}.{hook}")
    shop()
    assert not SendLogEntry.objects.filter(payload__contains="leak").exists()


class TellingBackend(HttpBackend):
    send = raising


class TellingDispatcher(ManualDispatcher):
    wake = raising


def test_a_backend_and_a_dispatcher_that_tell_it_are_not_repeated(configured, everything_logged):
    configured(BACKEND=f"{__name__}.TellingBackend", DISPATCHER=f"{__name__}.TellingDispatcher")
    shop()
    deliver_due(limit=1)
    assert SendAttempt.objects.get().reason == "backend failed: LookupError"
    assert any("could not be woken (LookupError)" in text for text in everything_logged.texts)


@pytest.mark.parametrize(("signal", "status"), [(event_sent, 200), (event_failed, 500)])
def test_what_receivers_are_given_tells_nothing_by_itself(fake_vendor, configured, signal, status):
    configured(ENDPOINT=fake_vendor.endpoint, RETRY_DELAYS=())
    fake_vendor.misbehave(Answer(status))
    told = []

    def receiver(sender, entry, **kwargs):
        told.append(repr([entry, str(entry), kwargs]))

    signal.connect(receiver)
    try:
        shop()
        # As if something had been accepted since each was tried before: what fails now has failed for good.
        SendLogEntry.objects.update(accepted_before=-1)
        deliver_due(limit=1)
    finally:
        signal.disconnect(receiver)
    assert len(told) == 1
    assert not any(map(holds_canary, told))


CONSTRUCTIONS = [
    lambda: Identity(user_id="canary 1", session_id="1"),
    lambda: Identity(user_id="canary"),
    lambda: Identity(vtsid=ADDRESS),
    lambda: Identity(email=ADDRESS + "\0"),
    lambda: Identity.from_dict({ADDRESS: ADDRESS}),
    lambda: Item(ADDRESS + "\ud800", 1),
    lambda: Item(ADDRESS, ADDRESS),
    lambda: Confirmation(ADDRESS + "\0", 1, []),
    lambda: Confirmation("1", ADDRESS, []),
    lambda: Confirmation("1", 1, ADDRESS),
    lambda: Confirmation("1", 1, [ADDRESS]),
    lambda: Confirmation("1", 1, [{ADDRESS: 1}]),
    lambda: Confirmation("1", 1, [], ADDRESS * 20),
    lambda: Confirmation("1", 1, [], extra={ADDRESS: {ADDRESS: {1, ADDRESS}}}),
    lambda: Login(ADDRESS, ADDRESS * 20),
    lambda: Login(ADDRESS, "app", {"email": ADDRESS}),
    lambda: Event(ADDRESS),
    lambda: Event("x", {"userId": ADDRESS}),
    lambda: Event("x", {"canary@": object()}),
    lambda: Event("x", reference=ADDRESS + "\0"),
    lambda: Event("x", dedup_key=ADDRESS * 20),
]


def test_what_is_refused_is_not_repeated():
    for construct in CONSTRUCTIONS:
        with pytest.raises(InvalidField) as caught:
            construct()
        assert not any(map(holds_canary, thrown_texts(caught.value)))


def test_orders_that_cannot_be_sent_are_not_repeated(configured):
    junk = {"identity": ADDRESS, "using": ADDRESS, "total": ADDRESS, "items": [ADDRESS], "extra": {ADDRESS: object()}}
    for name, value in junk.items():
        order_placed.send(sender=Order, **{**order(order_id=ADDRESS, email=ADDRESS), name: value})
    record.track(object(), request=request_with(**COOKIES))
    assert SendLogEntry.objects.count() == len(junk)
    assert not any(holds_canary(reason) for reason in SendLogEntry.objects.values_list("reason", flat=True))


def test_events_identities_and_requests_tell_nothing(configured):
    request = request_with(**COOKIES)
    kept = [
        Identity.from_cookies(COOKIES), Identity(email=ADDRESS), Login(ADDRESS, "app", {"a": ADDRESS}),
        Event("x", {"a": ADDRESS}, reference=ADDRESS, dedup_key=ADDRESS), Confirmation("1", 1, [], ADDRESS),
    ]  # fmt: skip
    assert [repr(kept), *map(str, kept)] == [text for text in [repr(kept), *map(str, kept)] if not holds_canary(text)]
    assert not holds_canary(repr(track(kept[-1], request=request)))
    del kept
