"""Each event is for one account: that of the shop it happened in, whichever way ACCOUNT_ID says so."""

from __future__ import annotations

from enum import Enum

import pytest
from django.db import DatabaseError
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from django_vt.accounts import account_for, decided_by_function, is_known, known_accounts, only_account
from django_vt.events import Event
from django_vt.exceptions import InvalidField
from tests.support.delivering import configure

EVENT = Event("wishlist")
BY_HOST = {"one.ro": "acc-ro", ".one.bg": "acc-bg", "localhost:8001": "acc-hu", "alias.ro": "acc-ro"}


def request_to(host):
    return RequestFactory().get("/", HTTP_HOST=host)


@pytest.fixture(autouse=True)
def _any_host(settings):
    settings.ALLOWED_HOSTS = ["*"]


def by_type(event, request):
    """What a project's function may be like."""
    if event.type == "query":
        raise DatabaseError("canary")
    if event.type == "fail":
        raise LookupError("canary")
    return f"acc-{event.type}" if request is None else request.headers.get("X-Shop")


FUNCTION = f"{__name__}.by_type"


@pytest.mark.parametrize("account", ["acc123", "acc.123", "A.b_c~d-e", "..."])
def test_a_string_is_the_account_of_every_event(settings, account):
    configure(settings, ACCOUNT_ID=account)
    assert account_for(EVENT, None) == account_for(EVENT, request_to("one.ro")) == account
    assert known_accounts() == (account,)
    assert only_account() == account


class Shop(str, Enum):
    """What `str()` says of a member is "Shop.RO"."""

    RO = "acc-ro"
    FUNCTION = f"{__name__}.of_the_enum"
    ASYNC = f"{__name__}.asked_elsewhere"


def of_the_enum(event, request):
    return Shop.RO


async def asked_elsewhere(event, request):
    return Shop.RO


def lazily(value):
    return SimpleLazyObject(lambda: value)


@pytest.mark.parametrize("wrapped", [lambda value: value, lazily], ids=["as it is", "lazily"])
@pytest.mark.parametrize("account", [Shop.RO, {"one.ro": Shop.RO, "one.bg": "acc-bg"}, {"one.ro": lazily(Shop.RO)}])
def test_a_member_of_an_enum_and_a_lazy_text_are_the_account_that_they_hold(settings, account, wrapped):
    configure(settings, ACCOUNT_ID=wrapped(account))
    found = [account_for(EVENT, request_to("one.ro")), account_for(EVENT, None, Shop.RO)]
    found += [account_for(EVENT, None, lazily("acc-ro")), account_for(EVENT, request_to("one.ro"), lazily(None))]
    assert [(type(each), each) for each in found] == [(str, "acc-ro")] * 4
    assert is_known("acc-ro")
    assert {type(each) for each in known_accounts()} == {str}


@pytest.mark.parametrize("function", [Shop.FUNCTION, Shop.ASYNC])
def test_so_are_those_that_a_function_returns_sync_or_async(settings, function):
    configure(settings, ACCOUNT_ID=function)
    assert decided_by_function()
    assert (type(account_for(EVENT, None)), account_for(EVENT, None)) == (str, "acc-ro")


@pytest.mark.parametrize("account", ["", None, 5, "a/b", "a b", "é", "..", ["a"]])
def test_what_can_be_no_account_counts_as_none(settings, account):
    configure(settings, ACCOUNT_ID=account)
    assert account_for(EVENT, None) == only_account() == ""
    assert known_accounts() == ()


@pytest.mark.parametrize(
    ("host", "account"),
    [
        ("one.ro", "acc-ro"), ("ONE.ro", "acc-ro"), ("one.ro:8443", "acc-ro"), ("alias.ro", "acc-ro"),
        ("one.bg", "acc-bg"), ("www.one.bg", "acc-bg"), ("www.one.bg:80", "acc-bg"), ("localhost:8001", "acc-hu"),
        ("www.one.ro", ""), ("localhost:8002", ""), ("evil-one.bg", ""), ("a b", ""),
    ],
)  # fmt: skip
def test_a_dict_names_the_account_of_the_requests_host(settings, host, account):
    configure(settings, ACCOUNT_ID=BY_HOST)
    assert account_for(EVENT, request_to(host)) == account


def test_without_a_host_a_dict_names_no_account_unless_it_has_but_one(settings):
    configure(settings, ACCOUNT_ID=BY_HOST)
    assert [account_for(EVENT, request) for request in (None, object())] == ["", ""]
    assert known_accounts() == ("acc-ro", "acc-bg", "acc-hu")
    assert only_account() == ""
    configure(settings, ACCOUNT_ID={"one.ro": "acc-ro", "alias.ro": "acc-ro", "b.ro": "a/b", 5: None})
    assert account_for(EVENT, None) == account_for(EVENT, request_to("b.ro")) == only_account() == "acc-ro"


def test_a_function_names_the_account_and_nobody_knows_which_it_may_name(settings):
    configure(settings, ACCOUNT_ID=FUNCTION)
    assert account_for(EVENT, None) == "acc-wishlist"
    assert account_for(EVENT, RequestFactory().get("/", headers={"X-Shop": "acc-bg"})) == "acc-bg"
    assert account_for(EVENT, request_to("one.ro")) == ""
    assert known_accounts() is None
    assert only_account() == ""


@pytest.mark.parametrize(("path", "why"), [(FUNCTION, "LookupError"), ("shop.gone.account", "ModuleNotFoundError")])
def test_a_function_that_fails_is_named_by_its_setting_and_says_no_more(settings, path, why):
    configure(settings, ACCOUNT_ID=path)
    with pytest.raises(InvalidField) as caught:
        account_for(Event("fail"), None)
    assert str(caught.value) == f"ACCOUNT_ID: its function raised {why}"
    assert caught.value.__cause__ is None


def test_a_functions_database_error_is_left_to_who_holds_the_transaction(settings):
    configure(settings, ACCOUNT_ID=FUNCTION)
    with pytest.raises(DatabaseError):
        account_for(Event("query"), None)


def test_an_account_that_is_given_goes_before_the_requests(settings):
    configure(settings, ACCOUNT_ID=BY_HOST)
    assert account_for(EVENT, request_to("one.ro"), "acc-bg") == "acc-bg"
    configure(settings, ACCOUNT_ID=FUNCTION)
    assert account_for(None, None, "whatever") == "whatever"


@pytest.mark.parametrize("given", ["acc-de", "", "a/b", 5, True])
def test_an_account_that_is_given_and_that_the_settings_cannot_mean_is_refused(settings, given):
    configure(settings, ACCOUNT_ID=BY_HOST)
    with pytest.raises(InvalidField, match=r"^account_id: "):
        account_for(EVENT, None, given)
