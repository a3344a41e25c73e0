from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from django_vt.testing import FakeVendor
from django_vt.testing.fake_vendor import Hang


@pytest.fixture
def shopper() -> Client:
    """A shopper's browser with the pixel's cookie."""
    browser = Client()
    browser.cookies["_vt_user"] = "8139618027113397_253412802711339765_false_false"
    return browser


@pytest.fixture
def no_table() -> Iterator[None]:
    """django-vt's tables are missing."""
    tables = ("django_vt_sendlogentry", "django_vt_rememberedidentity")
    with connection.schema_editor() as editor:
        for table in tables:
            editor.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
    yield
    with connection.schema_editor() as editor:
        for table in tables:
            editor.execute(f"ALTER TABLE {table}_away RENAME TO {table}")


@pytest.fixture
def vendor_hangs(settings: Any) -> Iterator[None]:
    """Vibetrace takes a request and never answers."""
    with FakeVendor() as vendor:
        vendor.misbehave(Hang())
        settings.DJANGO_VT = {
            **settings.DJANGO_VT,
            "ENDPOINT": vendor.endpoint,
            "BACKEND": "django_vt.backends.http.HttpBackend",
            "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher",
        }
        yield
