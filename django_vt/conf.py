"""The settings of the app: one block, `DJANGO_VT`, read when a value is asked for.

Nothing is kept between two reads, so `override_settings` and pytest-django's `settings` just work.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from django.conf import settings as django_settings

IdentificationWay = Literal["pixel", "vtsid", "email"]

BLOCK = "DJANGO_VT"
ACCOUNT_ID_PATTERN = re.compile(r"[A-Za-z0-9._~-]{1,64}", re.ASCII)

TEST_DEFAULTS: Mapping[str, Any] = {
    "BACKEND": "django_vt.backends.locmem.LocMemBackend",
    "DISPATCHER": "django_vt.dispatchers.immediate.ImmediateDispatcher",
}


class Settings:
    """The keys of `DJANGO_VT` with their types and defaults; reading an attribute reads the project's settings.

    docs/reference/settings.md says what each key means. A value of the wrong type is not mended here: the system checks
    (`manage.py check`) name it.
    """

    ACCOUNT_ID: str = ""
    ENDPOINT: str = "https://app.vtcdn.net/event"
    ENABLED: bool = True
    BACKEND: str = "django_vt.backends.http.HttpBackend"
    DISPATCHER: str = "django_vt.dispatchers.thread.ThreadDispatcher"
    CALLBACK: str | None = "vt"
    TIMEOUT: tuple[float, float] = (3.05, 10)
    TRUST_ENV: bool = False
    BATCH_SIZE: int = 20
    MAX_URL_LENGTH: int = 8000
    RETRY_DELAYS: tuple[float, ...] = (5, 300, 1800, 7200, 18000, 36000, 36000)
    LEASE: float = 120
    MAX_AGE: Mapping[str, float] = {}
    IDENTIFY_BY: tuple[IdentificationWay, ...] = ("pixel", "vtsid", "email")
    TRACK_LOGINS: bool | Literal["all"] = True
    LOGIN_SOURCE: str = "website"
    BEFORE_RECORD: str | None = None
    FAIL_SILENTLY: bool = True
    RETENTION_DAYS: float = 90
    PAYLOAD_DAYS: float | None = None
    ISSUE_VTSID: bool | str = False
    VTSID_AGE: int = 365 * 24 * 3600
    OSCAR_ITEM_ID: Literal["partner_sku", "upc", "product_id"] = "partner_sku"

    def __getattribute__(self, name: str) -> Any:
        if name not in KEYS:
            return super().__getattribute__(name)
        block = getattr(django_settings, BLOCK, None)
        # Whether it is a Mapping takes long to ask, once a request; nearly always it is a dict.
        if (type(block) is dict or isinstance(block, Mapping)) and name in block:
            return block[name]
        if name in TEST_DEFAULTS and in_test_environment():
            return TEST_DEFAULTS[name]
        return DEFAULTS[name]

    @property
    def account_id(self) -> str:
        """ACCOUNT_ID where it can stand in the vendor's address, else empty: an order is recorded all the same."""
        account_id = self.ACCOUNT_ID
        return account_id if account_id_is_usable(account_id) else ""

    @property
    def deadline(self) -> float:
        """Seconds within which a request must have ended: the sum of TIMEOUT."""
        connect, read = self.TIMEOUT
        return connect + read


KEYS = frozenset(name for name in vars(Settings) if name.isupper())
DEFAULTS: Mapping[str, Any] = {name: getattr(Settings, name) for name in KEYS}

settings = Settings()


def in_test_environment() -> bool:
    """Whether Django's `setup_test_environment()` is in force, as under its runner and pytest-django.

    Told by the mark that Django keeps for itself. `mail.outbox` is none: Django's locmem mail backend makes one in any
    process.
    """
    # Looked up, not imported: what no test has loaded was not called, and a shop's processes need none of it.
    utils = sys.modules.get("django.test.utils")
    return hasattr(getattr(utils, "_TestState", None), "saved_data")


def account_id_is_usable(account_id: object) -> bool:
    """Whether a value can stand as the account in the path of the vendor's address."""
    return isinstance(account_id, str) and _can_stand_in_a_path(account_id)


@lru_cache(maxsize=8)
def _can_stand_in_a_path(account_id: str) -> bool:
    return ACCOUNT_ID_PATTERN.fullmatch(account_id) is not None and account_id not in {".", ".."}
