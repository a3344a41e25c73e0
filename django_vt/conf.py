"""The settings of the app: one dict, `DJANGO_VT`, read whenever a value is asked for.

`Settings` has one line for each key, with its default and the rule for its values.

Nothing is cached between two reads, so `override_settings` and pytest-django's `settings` just work.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar, get_args, overload

from django.conf import settings as django_settings

from django_vt import settings_rules as rules
from django_vt.settings_rules import Rule

IdentificationWay = Literal["pixel", "vtsid", "email"]
WAYS: tuple[IdentificationWay, ...] = get_args(IdentificationWay)

BLOCK = "DJANGO_VT"
LONGEST_COOKIE = 400 * 24 * 3600  # seconds: browsers keep no cookie longer, by the draft that will replace RFC 6265
LARGEST_BATCH = 900  # the most that one claim can hold
SHORTEST_URL, LONGEST_URL = 500, 65536  # bytes: enough for a URL with an event; no server is known to accept more
ACCOUNT_ID_PATTERN = re.compile(r"[A-Za-z0-9._~-]{1,64}", re.ASCII)

Value = TypeVar("Value")


class Setting(Generic[Value]):
    """A key of `DJANGO_VT`: its default, maybe another default in a test environment, and the rule for its values."""

    def __init__(self, default: Value, rule: Rule, *, in_tests: Value | None = None) -> None:
        self.default = default
        self.rule = rule
        self.in_tests = in_tests

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Setting[Value]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:
            return self
        block = getattr(django_settings, BLOCK, None)
        # Test for dict first, which it nearly always is: the isinstance check of an ABC is slow.
        if (type(block) is dict or isinstance(block, Mapping)) and self.name in block:
            return block[self.name]
        return self.in_tests if self.in_tests is not None and in_test_environment() else self.default


ADMINS = "ADMINS"  # as a value of ALERT_EMAILS: Django's own setting says who they are


class Settings:
    """The keys of `DJANGO_VT`. Reading an attribute reads the project's settings.

    docs/reference/settings.md explains each key. A value of the wrong type is returned as it is: the system checks
    (`manage.py check`) report it.
    """

    # A string or a dict; `django_vt.accounts` alone reads it.
    ACCOUNT_ID: Setting[Any] = Setting("", rules.ACCOUNTS)
    ENDPOINT = Setting("https://app.vtcdn.net/event", rules.STRING)
    ENABLED = Setting(default=True, rule=rules.BOOL)
    BACKEND = Setting(
        "django_vt.backends.http.HttpBackend",
        rules.class_path("django_vt.backends.base.Backend"),
        in_tests="django_vt.backends.locmem.LocMemBackend",
    )
    DISPATCHER = Setting(
        "django_vt.dispatchers.thread.ThreadDispatcher",
        rules.class_path("django_vt.dispatchers.base.Dispatcher"),
        in_tests="django_vt.dispatchers.immediate.ImmediateDispatcher",
    )
    CALLBACK: Setting[str | None] = Setting("vt", rules.or_none(rules.WORD))
    TIMEOUT: Setting[tuple[float, float]] = Setting((3.05, 10), rules.PAIR_OF_TIMES)
    TRUST_ENV = Setting(default=False, rule=rules.BOOL)
    BATCH_SIZE = Setting(20, rules.whole_number(1, LARGEST_BATCH))
    MAX_URL_LENGTH = Setting(8000, rules.whole_number(SHORTEST_URL, LONGEST_URL, "bytes"))
    RETRY_DELAYS: Setting[tuple[float, ...]] = Setting((5, 300, 1800, 7200, 18000, 36000, 36000), rules.DELAYS)
    LEASE: Setting[float] = Setting(120, rules.TIME)
    MAX_AGE: Setting[Mapping[str, float]] = Setting({}, rules.TIMES_BY_TYPE)
    IDENTIFY_BY: Setting[tuple[IdentificationWay, ...]] = Setting(WAYS, rules.several_of(WAYS))
    PIXEL_HEADER: Setting[str | None] = Setting(None, rules.or_none(rules.HEADER))
    VTSID_HEADER: Setting[str | None] = Setting(None, rules.or_none(rules.HEADER))
    TRACK_LOGINS: Setting[bool | str] = Setting(
        default=True,
        rule=rules.choice_or_path(
            "(user, request) that returns whether to report the login", choices=(True, False, "all")
        ),
    )
    LOGIN_SOURCE = Setting("website", rules.WORD)
    BEFORE_RECORD: Setting[str | None] = Setting(
        None,
        rules.or_none(
            rules.function_path("(event, identity, request or None) that returns the event, or None to drop it")
        ),
    )
    ORDERS: Setting[str | None] = Setting(
        None,
        rules.or_none(
            rules.function_path("(since, until) that returns the orders of that time, an iterable of Confirmation")
        ),
    )
    ORDER_URL: Setting[str | None] = Setting(
        None, rules.or_none(rules.function_path("(order_id) that returns the address of the order's page, or None"))
    )
    FAIL_SILENTLY = Setting(default=True, rule=rules.BOOL)
    ALERT_EMAILS: Setting[str | Sequence[str]] = Setting((), rules.addresses_or(ADMINS))
    RETENTION_DAYS: Setting[float] = Setting(90, rules.DAYS)
    PAYLOAD_DAYS: Setting[float | None] = Setting(None, rules.or_none(rules.DAYS))
    ISSUE_VTSID: Setting[bool | str] = Setting(
        default=False,
        rule=rules.choice_or_path(
            "(request) that returns whether the visitor may get the cookie", choices=(True, False)
        ),
    )
    VTSID_AGE = Setting(365 * 24 * 3600, rules.whole_number(1, LONGEST_COOKIE, "seconds"))
    OSCAR_ITEM_ID = Setting("partner_sku", rules.one_of("partner_sku", "upc", "product_id"))

    @property
    def deadline(self) -> float:
        """Seconds within which a request must end: the sum of TIMEOUT."""
        connect, read = self.TIMEOUT
        return connect + read


SETTINGS: Mapping[str, Setting[Any]] = {
    name: setting for name, setting in vars(Settings).items() if isinstance(setting, Setting)
}
KEYS = frozenset(SETTINGS)
DEFAULTS: Mapping[str, Any] = {name: setting.default for name, setting in SETTINGS.items()}

settings = Settings()


def in_test_environment() -> bool:
    """Whether Django's `setup_test_environment()` was called, as by its test runner and pytest-django.

    Django's private `_TestState` tells. `mail.outbox` does not: Django's locmem mail backend makes one in any process.
    """
    # Do not import the module: if it is not loaded, nothing was called, and production should not load it.
    utils = sys.modules.get("django.test.utils")
    return hasattr(getattr(utils, "_TestState", None), "saved_data")


def account_id_is_usable(account_id: object) -> bool:
    """Whether a value can be the account in the path of the URL."""
    return isinstance(account_id, str) and _can_stand_in_a_path(account_id)


@lru_cache(maxsize=8)
def _can_stand_in_a_path(account_id: str) -> bool:
    return ACCOUNT_ID_PATTERN.fullmatch(account_id) is not None and account_id not in {".", ".."}
