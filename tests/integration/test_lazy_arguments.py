"""What a shop passes may query, and fail: the order stays whole, and an entry says what became of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth import user_logged_in
from django.contrib.auth.models import User
from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils.functional import SimpleLazyObject
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from django_vt import remember_identity, track
from django_vt.adapters import report
from django_vt.identity import Identity
from django_vt.models import SendLogEntry
from django_vt.models.send_log import Status
from django_vt.signals import order_placed
from tests.projects.shop.models import Order
from tests.support.ordering import BUYER, PIXEL, order, request_with, visitor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _manual(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}


def query():
    Order.objects.count()


def fail():
    with connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")


def swallow():
    try:
        fail()
    except DatabaseError:
        return


def time_out():
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL statement_timeout = 20")
            cursor.execute("SELECT pg_sleep(10)")
    raise OperationalError("database is locked")


def write_and_fail():
    Order.objects.create(number="half", total=1)
    fail()


def raise_its_own():
    raise LookupError(BUYER)


ACTS = {act.__name__: act for act in (query, fail, swallow, time_out, write_and_fail, raise_its_own)}


def lazily(act, value):
    def look():
        ACTS[act]()
        return value

    return SimpleLazyObject(look)


def one_by_one(act, items):
    yield items[0]
    ACTS[act]()
    yield from items[1:]


class Member:
    """A property, of a request say, that acts when it is looked at."""

    def __init__(self, act, value):
        self.act, self.value = act, value

    def __get__(self, instance, owner=None):
        ACTS[self.act]()
        return self.value


def requests(act):
    user = request_with()
    user.user = lazily(act, User(email=BUYER))
    identity = request_with()
    identity.vt_identity = lazily(act, PIXEL)
    return [type("Request", (), {"COOKIES": Member(act, {}), "user": None})(), user, identity]


def arguments(act):
    """Each argument of `order_placed`, acting when it is looked at."""
    return {
        "order_id": [lazily(act, "100023")],
        "total": [lazily(act, Decimal("234.12"))],
        "items": [one_by_one(act, [("a", 1), ("b", 2)]), lazily(act, [("a", 1)]), [(lazily(act, "a"), 1)]],
        "email": [lazily(act, BUYER)],
        "extra": [lazily(act, {"coupon": "x"}), {"coupon": lazily(act, "x")}],
        "identity": [lazily(act, PIXEL)],
        "request": requests(act),
    }


def place(**changes):
    """As a shop does: the order, its signal, and something after it, in one transaction."""
    with transaction.atomic():
        Order.objects.create(number="100023", total=1)
        order_placed.send(sender=Order, **order(**changes))
        Order.objects.create(number="100023-invoice", total=1)


CASES = [
    (act, name, number) for act in ACTS for name, ways in arguments("query").items() for number in range(len(ways))
]


@pytest.mark.parametrize(("act", "name", "number"), CASES)
def test_whatever_an_argument_does_the_order_is_whole_and_has_an_entry(act, name, number, caplog):
    place(**{"email": BUYER, name: arguments(act)[name][number]})
    assert set(Order.objects.values_list("number", flat=True)) == {"100023", "100023-invoice"}
    entry = SendLogEntry.objects.get()
    assert entry.status == Status.PENDING or entry.reason.partition(":")[0] in {"invalid", "nobody"}
    if entry.status == Status.SKIPPED:
        assert [record.levelname for record in caplog.records] in (["WARNING"], ["ERROR"])
    assert BUYER not in caplog.text + entry.reason


CHOICES = st.fixed_dictionaries(
    {}, optional={name: st.tuples(st.sampled_from(sorted(ACTS)), st.integers(0, 2)) for name in arguments("query")}
)


@given(CHOICES, st.booleans())
@example({"items": ("fail", 0), "identity": ("swallow", 0), "request": ("fail", 1)}, True)
@example({"email": ("swallow", 0), "extra": ("time_out", 1), "total": ("query", 0)}, True)
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_for_any_mix_the_order_has_an_entry_or_the_shop_has_seen_an_exception(caplog, choices, inside):
    Order.objects.all().delete()
    SendLogEntry.objects.all().delete()
    changes = {}
    for name, (act, number) in choices.items():
        ways = arguments(act)[name]
        changes[name] = ways[number % len(ways)]
    try:
        if inside:
            place(**changes)
        else:
            Order.objects.create(number="100023", total=1)
            order_placed.send(sender=Order, **order(**changes))
    except Exception:  # noqa: BLE001 - the shop has seen it
        assert inside
        assert not Order.objects.exists()
    else:
        assert Order.objects.filter(number="100023").exists()
        assert SendLogEntry.objects.count() == 1
        assert not Order.objects.filter(number="half").exists()


def of_the_shop(act, **members):
    """An event class of the shop's own, of which some members act."""
    plain = {"type": "quote", "email": "", "reference": "Q-1", "dedup_key": None}
    acting = {name: Member(act, value) for name, value in members.items() if name != "body"}

    def body(self, identity):
        if "body" in members:
            ACTS[act]()
        return {"type": "quote"}

    return type("Quote", (), {**plain, **acting, "body": body})()


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("members", [{"body": ""}, {"email": ""}, {"reference": "Q-1"}, {"dedup_key": None}])
def test_whatever_an_event_of_the_shops_own_does_its_transaction_is_whole(act, members):
    with transaction.atomic():
        Order.objects.create(number="1", total=1)
        track(of_the_shop(act, **members), identity=PIXEL)
        Order.objects.create(number="2", total=1)
    assert set(Order.objects.values_list("number", flat=True)) == {"1", "2"}
    if "reference" not in members:
        assert SendLogEntry.objects.get().reference == "Q-1"


@pytest.mark.parametrize("act", ACTS)
def test_what_an_adapter_asks_for_may_fail_too(act):
    with transaction.atomic():
        Order.objects.create(number="1", total=1)
        report(lambda: ACTS[act]() or order(), reference="100023", identity=lambda: ACTS[act]() or Identity(vtsid="1"))
        Order.objects.create(number="2", total=1)
    assert Order.objects.count() == 2
    assert SendLogEntry.objects.get().reference == "100023"


@pytest.mark.parametrize("act", ACTS)
def test_whose_order_it_is_may_fail_to_be_told(act):
    with transaction.atomic():
        Order.objects.create(number="1", total=1)
        remember_identity(requests(act)[0], "100023")
        remember_identity(visitor(), lazily(act, "100023"))
        Order.objects.create(number="2", total=1)
    assert Order.objects.count() == 2


def test_a_swallowed_error_in_the_shops_code_does_not_pass_for_the_events_own(caplog):
    """Of what it swallowed only PostgreSQL makes more: then the entry says so, and holds nothing that was not told."""
    place(email=BUYER, items=one_by_one("swallow", [("a", 1), ("b", 2)]))
    entry = SendLogEntry.objects.get()
    expected = Status.SKIPPED if connection.vendor == "postgresql" else Status.PENDING
    assert entry.status == expected


# Logins


def log_in(user, request=None):
    with transaction.atomic():
        user_logged_in.send(sender=type(user), request=request or visitor(), user=user)
        Order.objects.create(number="1", total=1)
    assert Order.objects.exists()


def customer(act, **members):
    """A user of a project's own model; `act` is what some of its members do."""
    plain = {"pk": 1, "is_staff": False, "email": BUYER, "save": lambda self, **fields: None}
    plain["get_email_field_name"] = staticmethod(lambda: "email")
    return type("Customer", (), {**plain, **{name: Member(act, value) for name, value in members.items()}})()


@pytest.mark.parametrize("act", ACTS)
def test_an_address_that_cannot_be_had_leaves_the_login_to_the_cookie(act, caplog):
    log_in(customer(act, email=BUYER))
    entry = SendLogEntry.objects.get()
    assert entry.identity in {PIXEL.stored_form, f"email:{BUYER}"}
    if act not in {"query", "swallow"}:
        assert entry.identity == PIXEL.stored_form
    assert caplog.records == []


@pytest.mark.parametrize("error", [User.DoesNotExist, User.MultipleObjectsReturned])
def test_a_profile_that_is_missing_or_double_leaves_the_login_to_the_cookie(error, monkeypatch):
    def find_nobody():
        raise error

    monkeypatch.setitem(ACTS, "find", find_nobody)
    log_in(customer("find", email=BUYER))
    assert SendLogEntry.objects.get().identity == PIXEL.stored_form


@pytest.mark.parametrize("act", ACTS)
def test_whoever_may_be_staff_is_not_reported(act, caplog):
    log_in(customer(act, is_staff=False))
    assert SendLogEntry.objects.exists() == (act in {"query", "swallow"} and not caplog.records)
    assert BUYER not in caplog.text


# An error that takes the transaction with it


def lose_the_transaction():
    """As MariaDB's 1213 does: every savepoint is gone."""
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
        raise OperationalError(1213, "Deadlock found when trying to get lock")
    connection.savepoint_rollback("none that is left")


def test_where_the_transaction_is_gone_the_shop_sees_it_and_nothing_is_half_committed(monkeypatch):
    monkeypatch.setitem(ACTS, "lost", lose_the_transaction)

    def refuse_rollback(run, sql, params, many, context):
        if sql.startswith("ROLLBACK TO"):
            raise OperationalError(1305, "SAVEPOINT does not exist")
        return run(sql, params, many, context)

    for name, ways in arguments("lost").items():
        for way in ways:
            with pytest.raises(Exception), connection.execute_wrapper(refuse_rollback):  # noqa: B017, PT011 - of any class
                place(**{name: way})
            assert not Order.objects.exists()
            assert not SendLogEntry.objects.exists()
