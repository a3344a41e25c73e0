"""`order_placed` never raises and never loses an order; logins are sent as TRACK_LOGINS says."""

from __future__ import annotations

import math
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import alogin, user_logged_in
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.functional import SimpleLazyObject
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from django_vt.events import Item
from django_vt.models import SendLogEntry
from django_vt.models.send_log import Status
from django_vt.recording import attribution, receivers
from django_vt.signals import order_placed
from tests.projects.shop.models import Order
from tests.support.ordering import BUYER, PIXEL, PIXEL_COOKIE, order, place, request_with, visitor

pytestmark = pytest.mark.django_db


def test_an_order_is_recorded_with_all_that_was_given():
    entry = place(
        request=visitor(),
        email=BUYER,
        extra={"coupon": "x"},
        using="default",
        items=[("a", 1), {"id": "b", "quantity": 2}],
    )
    assert (entry.status, entry.identity) == (Status.PENDING, PIXEL.stored_form)
    assert entry.event["items"] == [{"id": "a", "quantity": 1}, {"id": "b", "quantity": 2}]
    assert entry.event["generic"] == {"orderId": "100023", "total": 234.12, "email": BUYER, "coupon": "x"}


def test_an_order_without_a_request_goes_by_the_identity_given_or_the_address():
    assert place(identity=PIXEL).identity == PIXEL.stored_form
    order_placed.send(sender=None, **order(order_id="2", email=BUYER))
    assert SendLogEntry.objects.last().identity == f"email:{BUYER}"


def test_arguments_that_it_does_not_know_are_no_obstacle():
    assert place(request=visitor(), voucher="x").status == Status.PENDING


def test_an_order_signalled_twice_is_one_entry():
    assert place(request=visitor()) == place(request=visitor())


def test_the_receivers_are_connected_once_however_often_the_app_starts(shopper):
    receivers.connect()
    receivers.connect()
    assert place(request=visitor()).status == Status.PENDING
    user_logged_in.send(sender=User, request=visitor(), user=shopper)
    assert SendLogEntry.objects.count() == 2


def lazy_none():
    return SimpleLazyObject(lambda: None)


class Alias(str, Enum):
    DEFAULT = "default"


@pytest.mark.parametrize(
    ("changes", "printed"),
    [
        ({"total": Decimal(100) / 3}, '"total":33.33'),
        ({"total": 100}, '"total":100}'),
        ({"items": [Item(f"sku-{number}", 1) for number in range(500)]}, '{"id":"sku-499","quantity":1}]'),
        ({"items": [("🎁", 1)]}, '"id":"\\ud83c\\udf81"'),
        ({"order_id": 17}, '"orderId":"17"'),
        ({"email": None, "extra": None}, '"total":234.12}'),
        (dict.fromkeys(("email", "extra", "identity", "account_id"), lazy_none()), '"total":234.12}'),
        ({"using": Alias.DEFAULT}, '"total":234.12}'),
    ],
)
def test_an_unusual_order_is_recorded(changes, printed):
    entry = place(request=visitor(), **changes)
    assert entry.status == Status.PENDING
    assert printed in entry.payload


@pytest.mark.parametrize(
    ("changes", "reason", "kept_items"),
    [
        ({"order_id": None}, "invalid: order_id", None),
        ({"total": math.nan}, "invalid: total", None),
        ({"items": 5}, "invalid: items", None),
        ({"items": (1 / 0 for _ in "a")}, "invalid: ZeroDivisionError", None),
        ({"items": [("a", 1), ("b", 0)]}, "invalid: items[1].quantity", ["a"]),
        ({"items": (item for item in [("b", 0), ("a", 1)])}, "invalid: items[0].quantity", ["a"]),
        ({"items": [("🎁\0", 1)]}, "invalid: items[0].id", []),
        ({"email": "canary\0@example.com"}, "invalid: email", ["123123-M"]),
        ({"extra": {"total": 1}}, "invalid: extra.total", ["123123-M"]),
        ({"identity": {"email": "canary@example.com"}}, "invalid: identity", ["123123-M"]),
        ({"using": "elsewhere"}, "invalid: using", ["123123-M"]),
    ],
)
def test_an_order_that_cannot_be_sent_is_skipped_with_the_reason_and_the_rest_is_kept(
    changes, reason, kept_items, caplog
):
    entry = place(**{"request": visitor(), **changes})
    assert (entry.status, entry.reason, entry.due_at) == (Status.SKIPPED, reason, None)
    kept = entry.event
    assert (kept and [item["id"] for item in kept["items"]]) == kept_items
    assert entry.identity == (PIXEL.stored_form if kept else "")
    assert entry.reference == ("" if "order_id" in changes else "100023")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "canary" not in caplog.text
    # An exception among them would keep the order alive in whatever keeps log records.
    assert all(isinstance(argument, str) for record in caplog.records for argument in record.args)


@pytest.mark.parametrize("name", ["order_id", "total", "items"])
def test_what_is_missing_is_named(name):
    arguments = order(request=visitor())
    del arguments[name]
    order_placed.send(sender=None, **arguments)
    assert SendLogEntry.objects.get().reason == f"invalid: {name}"


class Hostile:
    """Raises whatever is done with it."""

    def __getattr__(self, name):
        raise RuntimeError("canary@example.com")

    def __bool__(self):
        raise RuntimeError("canary@example.com")

    def __iter__(self):
        raise RuntimeError("canary@example.com")


ENDLESS: list[object] = []
ENDLESS.append(ENDLESS)

JUNK = st.one_of(
    st.just(ENDLESS), st.just({"it": ENDLESS}),
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(st.characters()), st.binary(),
    st.lists(st.none() | st.integers() | st.text() | st.tuples(st.text(), st.floats())), st.builds(Hostile),
    st.dictionaries(st.text(), st.floats() | st.text()), st.builds(object), st.just(SimpleNamespace(COOKIES=5)),
    st.just(request_with(_vt_user=PIXEL_COOKIE)), st.just(PIXEL),
)  # fmt: skip
ARGUMENTS = ("order_id", "total", "items", "email", "extra", "request", "identity", "using")


@given(st.dictionaries(st.sampled_from(ARGUMENTS), JUNK))
@example({"request": Hostile()})
@example({"items": Hostile(), "order_id": Hostile(), "extra": Hostile()})
@example({"order_id": -(10**5000)})
@example({"order_id": ENDLESS})
@example({"items": ENDLESS, "extra": {"it": ENDLESS}, "identity": ENDLESS})
@example({"request": SimpleNamespace(COOKIES={}, user=Hostile())})
@hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_junk_for_any_argument_neither_raises_nor_loses_the_order(caplog, junk):
    SendLogEntry.objects.all().delete()
    caplog.clear()
    results = order_placed.send(sender=None, **{**order(email=BUYER), **junk})
    assert [result for _receiver, result in results] == [None]
    entry = SendLogEntry.objects.get()
    assert entry.status == Status.PENDING or entry.reason.partition(":")[0] in {"invalid", "nobody"}
    assert "canary" not in caplog.text + entry.reason


def test_nothing_is_looked_at_where_the_app_is_off(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ENABLED": False}
    with CaptureQueriesContext(connection) as queries:
        order_placed.send(sender=None, **order(items=None))
        order_placed.send(sender=None, **order())
        receivers.record_login(User, request=visitor(), user=User(email=BUYER))
    assert len(queries) == 0


# Logins


@pytest.fixture
def shopper():
    return User.objects.create_user("shopper", BUYER, "secret")


@pytest.fixture
def track_logins(settings):
    def set_value(value, **more):
        settings.DJANGO_VT = {**settings.DJANGO_VT, "TRACK_LOGINS": value, **more}

    return set_value


def login(user, request=None):
    receivers.record_login(type(user), request=request or visitor(), user=user)
    return [(entry.status, entry.payload or entry.reason) for entry in SendLogEntry.objects.all()]


def test_a_login_through_the_login_page_is_recorded(shopper):
    client = Client()
    client.cookies["_vt_user"] = PIXEL_COOKIE
    assert client.post("/login/", {"username": "shopper", "password": "secret"}).status_code == 302
    assert SendLogEntry.objects.get().payload == '{"type":"login","email":"buyer@example.com","source":"website"}'


def test_a_login_without_any_middleware_is_recorded(shopper):
    Client().force_login(shopper)
    assert SendLogEntry.objects.get().identity == f"email:{BUYER}"


@pytest.mark.django_db(transaction=True)
def test_an_async_login_is_recorded(shopper):
    async def log_in():
        request = visitor()
        request.session = SessionStore()
        await alogin(request, shopper, backend="django.contrib.auth.backends.ModelBackend")

    async_to_sync(log_in)()
    assert SendLogEntry.objects.get().identity == f"email:{BUYER}"


@pytest.mark.parametrize(("value", "shoppers", "staffs"), [(True, 1, 0), ("all", 1, 1), (False, 0, 0)])
def test_track_logins_says_whose_logins_are_recorded(track_logins, value, shoppers, staffs):
    track_logins(value)
    assert len(login(User(email=BUYER))) == shoppers
    SendLogEntry.objects.all().delete()
    assert len(login(User(email=BUYER, is_staff=True))) == staffs


def test_the_source_of_logins_is_the_projects_word(track_logins):
    track_logins(True, LOGIN_SOURCE="app")
    assert login(User(email=BUYER)) == [("pending", '{"type":"login","email":"buyer@example.com","source":"app"}')]


def test_a_login_of_a_user_without_an_address_goes_by_the_cookie_or_is_skipped():
    assert '"userId":"8139618027113397"' in login(User())[0][1]
    SendLogEntry.objects.all().delete()
    login(User(), request_with())
    assert SendLogEntry.objects.get().reason == "nobody"


@pytest.mark.parametrize(
    ("address", "source", "reason"), [("a\0@example.com", "app", "invalid: email"), (BUYER, "", "invalid: source")]
)
def test_a_login_that_cannot_be_sent_is_skipped_with_the_reason(track_logins, address, source, reason):
    track_logins(True, LOGIN_SOURCE=source)
    assert login(User(email=address)) == [("skipped", reason)]


def test_the_address_is_in_the_field_that_the_user_model_names():
    class Customer:
        contact = BUYER

        @staticmethod
        def get_email_field_name():
            return "contact"

    assert login(Customer())[0][1].startswith('{"type":"login","email":"buyer@example.com"')


def method_that_raises(cls):
    raise LookupError("canary@example.com")


@pytest.mark.parametrize(
    ("method", "identity"),
    [
        (lambda self: "email", f"email:{BUYER}"),
        (classmethod(method_that_raises), PIXEL.stored_form),
        (classmethod(lambda cls: None), PIXEL.stored_form),
        (classmethod(lambda cls: []), PIXEL.stored_form),
    ],
    ids=["of an instance", "raising", "giving None", "giving a list"],
)
def test_a_login_is_recorded_whatever_the_user_models_own_method_for_the_field_does(
    shopper, monkeypatch, method, identity
):
    monkeypatch.setattr(User, "get_email_field_name", method)
    login(shopper)
    assert SendLogEntry.objects.get().identity == identity


@pytest.mark.parametrize("make_user", [lambda: None, Hostile])
def test_a_login_of_whatever_raises_nothing(make_user):
    receivers.record_login(User, request=visitor(), user=make_user())
    assert not SendLogEntry.objects.exists()


def test_a_login_costs_no_query_but_its_entry(shopper):
    with CaptureQueriesContext(connection) as queries:
        login_signal = user_logged_in.send_robust(sender=User, request=visitor(), user=shopper)
    assert all(not isinstance(result, Exception) for _receiver, result in login_signal)
    about_us = "; ".join(query["sql"] for query in queries if "auth_user" not in query["sql"])
    assert [statement.split()[0] for statement in about_us.split("; ")] == ["SAVEPOINT", "INSERT", "RELEASE"]


def test_an_order_whose_users_address_cannot_be_had_is_kept_to_be_seen(monkeypatch, caplog):
    def failing(user):
        raise LookupError("canary@example.com")

    monkeypatch.setattr(attribution, "address_of", failing)
    request = request_with()
    request.user = User(email=BUYER)
    assert place(request=request).reason == "invalid: LookupError"
    assert "canary" not in caplog.text


def test_an_order_in_a_view_is_recorded_with_the_visitors_identity():
    client = Client()
    client.cookies["_vt_user"] = PIXEL_COOKIE
    assert client.post("/buy/", {"number": "100023"}).content == b"100023"
    assert SendLogEntry.objects.get().identity == PIXEL.stored_form
    assert client.post("/buy-and-fail/", {"number": "100024"}).status_code == 409
    assert SendLogEntry.objects.count() == Order.objects.count() == 1


# Keywords that are nearly ours


@pytest.fixture
def _told_of_nothing(monkeypatch):
    monkeypatch.setattr(receivers, "_told_of", set())


@pytest.mark.usefixtures("_told_of_nothing")
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("e_mail", "email"), ("Email", "email"), ("mail", "email"), ("item", "items"), ("itemz", "items"),
        ("orderid", "order_id"), ("totals", "total"), ("requests", "request"), ("identty", "identity"),
    ],
)  # fmt: skip
def test_a_keyword_that_is_nearly_ours_is_said_once(name, meant, caplog):
    for number in range(3):
        order_placed.send(sender=None, **order(order_id=number, request=visitor()), **{name: BUYER})
    assert caplog.messages == [f"order_placed does not know {name}, and passes over it: is {meant} meant?"]
    assert caplog.records[0].levelname == "WARNING"


@pytest.mark.usefixtures("_told_of_nothing")
@pytest.mark.parametrize("name", ["voucher", "user", "status", "mailing", "ordering"])
def test_other_keywords_are_the_shops(name, caplog):
    order_placed.send(sender=None, **order(request=visitor()), **{name: BUYER})
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("account", "stored", "status"),
    [("acc456", "acc456", "pending"), ("acc/456", "", "skipped"), ("acc789", "", "skipped")],
)
def test_an_order_can_be_of_another_account_that_the_settings_name(account, stored, status, settings):
    accounts = {"one.ro": "acc123", "one.bg": "acc456"}
    manual = "django_vt.dispatchers.manual.ManualDispatcher"
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": manual, "ACCOUNT_ID": accounts}
    entry = place(request=visitor(), account_id=account)
    assert (entry.account_id, entry.status) == (stored, status)
