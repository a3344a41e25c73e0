"""`report`: whatever another package's order holds, its checkout goes on and the log says what became of it."""

from __future__ import annotations

from collections import ChainMap, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError, OperationalError, connection, transaction
from django.http import HttpRequest
from django.test import RequestFactory

from django_vt.adapters import buyers_account, buyers_identity, remember_buyer, report
from django_vt.events import AnyEvent, Confirmation, Event
from django_vt.identity import Identity
from django_vt.models import RememberedIdentity, SendLogEntry
from django_vt.visitors import serving
from tests.projects.shop.models import Order
from tests.support.ordering import PIXEL, visitor

pytestmark = pytest.mark.django_db(transaction=True)


def order_100() -> Confirmation:
    return Confirmation("100", "234.12", [("TEA", 2)], "buyer@example.com")


def test_the_event_that_was_made_is_recorded() -> None:
    entry = report(order_100)
    assert entry is not None
    assert (entry.reference, entry.identity) == ("100", "email:buyer@example.com")


def test_the_identity_is_asked_for_and_preferred() -> None:
    entry = report(order_100, identity=lambda: Identity(user_id="1", session_id="2"))
    assert entry is not None
    assert entry.identity == "pixel:1_2"


def test_the_request_names_the_visitor() -> None:
    request = HttpRequest()
    request.COOKIES["_vtsid"] = "v-1"
    entry = report(order_100, request=request)
    assert entry is not None
    assert entry.identity == "vtsid:v-1"


def nothing() -> AnyEvent | None:
    return None


def test_where_there_is_nothing_to_report_nothing_is_recorded() -> None:
    assert report(nothing) is None
    assert not SendLogEntry.objects.exists()


def arguments_of_100() -> dict[str, Any]:
    return {"order_id": "100", "total": 5, "items": [("TEA", 2), ("TEA", 0)], "email": "buyer@example.com"}


@pytest.mark.parametrize("made", [dict, OrderedDict, ChainMap, MappingProxyType])
def test_the_arguments_of_an_order_may_be_any_mapping(made: Callable[[Any], Mapping[str, Any]]) -> None:
    entry = report(lambda: made(arguments_of_100()), reference="100")
    assert entry is not None
    assert (entry.reason, entry.event and entry.event["items"]) == (
        "invalid: items[1].quantity",
        [{"id": "TEA", "quantity": 2}],
    )


@pytest.mark.parametrize("made", ["100", 100, Order(number="100"), SimpleNamespace(type="no type", reference="5")])
def test_what_is_no_event_is_seen_as_skipped_under_what_the_adapter_has_named(made: Any) -> None:
    entry = report(lambda: made, reference="100")
    assert entry is not None
    assert (entry.status, entry.event_type, entry.reference) == ("skipped", "confirmation", "100")


def impossible() -> Confirmation:
    return Confirmation("100", "234.12", [("TEA", 0)])


def broken() -> Confirmation:
    raise AttributeError("no such thing as buyer@example.com")


@pytest.mark.parametrize(
    ("make", "reason"), [(impossible, "invalid: items[0].quantity"), (broken, "invalid: AttributeError")]
)
def test_what_cannot_become_an_event_is_seen_as_skipped(
    make: Callable[[], Confirmation], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    entry = report(make, reference="100")
    assert entry is not None
    assert (entry.status, entry.reason, entry.reference) == ("skipped", reason, "100")
    assert "buyer@example.com" not in caplog.text


def failing_query() -> Confirmation:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM no_such_table")
    return order_100()


def test_a_query_that_fails_leaves_the_orders_transaction_whole_and_is_seen_as_skipped() -> None:
    with transaction.atomic():
        Order.objects.create(number="100", total="234.12")
        entry = report(failing_query, reference="100")
    assert entry is not None
    assert (entry.status, entry.reference) == ("skipped", "100")
    # SQLite's class; PostgreSQL and MariaDB have ProgrammingError.
    assert entry.reason in {"invalid: OperationalError", "invalid: ProgrammingError"}
    assert Order.objects.filter(number="100").exists()


class Undone(Exception):
    """A shop's own, made out of the database's."""


def failing_in_the_shops_own_words() -> Confirmation:
    try:
        return failing_query()
    except DatabaseError as error:
        raise Undone from error


def test_what_has_cost_the_orders_transaction_is_raised(caplog: pytest.LogCaptureFixture) -> None:
    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("ROLLBACK TO SAVEPOINT"):
            raise OperationalError(1305, "SAVEPOINT does not exist")
        return run(sql, params, many, context)

    with pytest.raises(Undone), transaction.atomic(), connection.execute_wrapper(execute):
        report(failing_in_the_shops_own_words, reference="100")
    assert not SendLogEntry.objects.exists()
    assert caplog.records == []


def test_nothing_is_asked_where_the_app_is_switched_off(settings: pytest.FixtureRequest) -> None:
    settings.DJANGO_VT = {"ACCOUNT_ID": "acc123", "ENABLED": False}  # type: ignore[attr-defined]
    assert report(broken) is None
    assert not SendLogEntry.objects.exists()


def test_on_an_event_loop_it_is_recorded_all_the_same() -> None:
    async def receive() -> None:
        report(lambda: Event("wishlist"), event_type="wishlist", identity=lambda: Identity(vtsid="v-1"))

    async_to_sync(receive)()
    assert SendLogEntry.objects.get().event_type == "wishlist"


@pytest.fixture
def served() -> Iterator[HttpRequest]:
    """A request of the visitor 7, who has the pixel's cookie, is being served."""
    request = visitor()
    request.user = SimpleNamespace(pk=7)  # type: ignore[assignment]
    token = serving.start_serving(request)
    yield request
    serving.stop_serving(token)


def is_7(user: Any) -> bool:
    return bool(user.pk == 7)


def is_8(user: Any) -> bool:
    return bool(user.pk == 8)


def cannot_tell(user: Any) -> bool:
    failing_query()
    raise AssertionError


@pytest.mark.usefixtures("served")
def test_the_visitor_who_is_the_buyer_gives_the_identity() -> None:
    assert buyers_identity(is_7) == PIXEL
    assert not buyers_identity(is_8)


def test_where_nobody_is_served_nobody_is_the_buyer() -> None:
    assert not buyers_identity(cannot_tell)


def test_a_request_without_a_user_is_nobodys(served: HttpRequest) -> None:
    del served.user
    assert not buyers_identity(cannot_tell)


@pytest.mark.usefixtures("served")
def test_a_buyer_who_cannot_be_told_costs_the_identity_and_not_the_order() -> None:
    with transaction.atomic():
        Order.objects.create(number="100", total="234.12")
        entry = report(order_100, reference="100", identity=lambda: buyers_identity(cannot_tell))
    assert entry is not None
    assert (entry.status, entry.reference) == ("skipped", "100")
    assert Order.objects.filter(number="100").exists()


@pytest.mark.usefixtures("served")
def test_the_buyer_is_remembered_until_the_order_is_reported() -> None:
    remember_buyer("100", is_7)
    entry = report(order_100)
    assert entry is not None
    assert entry.identity == PIXEL.stored_form
    assert not RememberedIdentity.objects.exists()


@pytest.mark.usefixtures("served")
def test_whoever_else_is_served_is_not_remembered() -> None:
    remember_buyer("100", is_8)
    assert not RememberedIdentity.objects.exists()


@pytest.mark.usefixtures("served")
def test_a_buyer_who_cannot_be_told_is_not_remembered_and_the_order_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with transaction.atomic():
        Order.objects.create(number="100", total="234.12")
        remember_buyer("100", cannot_tell)
    assert Order.objects.filter(number="100").exists()
    assert "Could not record whose order it is" in caplog.text


@pytest.mark.usefixtures("served")
def test_nobody_is_remembered_where_the_app_is_switched_off(settings: Any) -> None:
    settings.DJANGO_VT = {"ACCOUNT_ID": "acc123", "ENABLED": False}
    remember_buyer("100", cannot_tell)
    assert not RememberedIdentity.objects.exists()


@pytest.mark.usefixtures("served")
def test_on_an_event_loop_the_buyer_is_remembered_all_the_same() -> None:
    async def receive() -> None:
        remember_buyer("100", is_7)

    async_to_sync(receive)()
    assert RememberedIdentity.objects.exists()


# Several shops, several accounts

SHOPS = {"one.ro": "acc-ro", "one.bg": "acc-bg"}


@pytest.fixture
def shops(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ACCOUNT_ID": SHOPS}


@pytest.fixture
def buyer_at_one_bg() -> Iterator[None]:
    request = RequestFactory().get("/", headers={"host": "one.bg"})
    request.user = SimpleNamespace(pk=7)  # type: ignore[assignment]
    token = serving.start_serving(request)
    yield
    serving.stop_serving(token)


@pytest.mark.usefixtures("shops")
def test_the_account_may_be_named_or_returned() -> None:
    accounts = "acc-ro", lambda: "acc-bg"
    entries = [report(order_100, account_id=account_id) for account_id in accounts]
    assert [entry.account_id for entry in entries if entry] == ["acc-ro", "acc-bg"]


@pytest.mark.usefixtures("shops")
def test_an_account_whose_asking_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def failing() -> str:
        Order.objects.get(number="buyer@example.com")
        return ""

    with transaction.atomic():
        entry = report(order_100, reference="100", account_id=failing)
        Order.objects.create(number="100", total=1)
    assert entry is not None
    assert (entry.status, entry.reason, entry.account_id) == ("skipped", "invalid: DoesNotExist", "")
    assert "buyer@example.com" not in caplog.text


@pytest.mark.usefixtures("shops", "buyer_at_one_bg")
def test_the_buyers_account_is_that_of_the_shop_that_they_are_at() -> None:
    assert buyers_account(lambda visitor: visitor.pk == 7) == "acc-bg"
    assert buyers_account(lambda visitor: visitor.pk == 8) is None


@pytest.mark.usefixtures("buyer_at_one_bg")
def test_where_hosts_decide_nothing_the_visitor_is_not_asked_for() -> None:
    assert buyers_account(lambda visitor: 1 / 0 > 1) is None


@pytest.mark.usefixtures("shops", "buyer_at_one_bg")
def test_where_the_buyer_is_remembered_the_account_may_be_named() -> None:
    remember_buyer("100", lambda visitor: True)
    remember_buyer("101", lambda visitor: True, account_id="acc-ro")
    assert set(RememberedIdentity.objects.values_list("account_id", flat=True)) == {"acc-bg", "acc-ro"}
