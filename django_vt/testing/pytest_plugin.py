"""The fixtures that come with the package: pytest finds them by the package's entry point, nothing is to be set up.

Needs pytest-django where a fixture is used; harmless in projects without Django, where it is imported as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .captured_events import CapturedEvents, capturing, raising_settings
from .fake_vendor import FakeVendor

if TYPE_CHECKING:
    from pytest_django import Settings

# Both change settings through pytest-django's fixture, whose changes are undone in the reverse of their order. One
# that took its own way would, torn down before a test's later `settings.DJANGO_VT = ...`, leave its change for good.


@pytest.fixture
def vt_events(db: None, settings: Settings) -> Iterator[CapturedEvents]:
    """The events recorded in this test so far, a sequence of `SendLogEntry`: `captured_events()` around all of it.

    Logins by `client.force_login()` and `client.login()` are not among them. An order that cannot be sent is raised.

    For example::

        def test_checkout(client, vt_events):
            client.post("/checkout/")
            assert [event.reference for event in vt_events] == ["100023"]
    """
    settings.DJANGO_VT = raising_settings()
    with capturing() as events:
        yield events


@pytest.fixture
def fake_vendor(db: None, settings: Settings) -> Iterator[FakeVendor]:
    """A started `django_vt.testing.FakeVendor` that DJANGO_VT points to: events go there over real HTTP.

    For example::

        def test_an_order_arrives(client, fake_vendor, django_capture_on_commit_callbacks):
            with django_capture_on_commit_callbacks(execute=True):
                client.post("/checkout/")
            fake_vendor.wait_for(1)
            assert fake_vendor.orders["100023"] == 1
    """
    with FakeVendor() as vendor:
        settings.DJANGO_VT = {
            **getattr(settings, "DJANGO_VT", {}),
            "ENABLED": True,
            "BACKEND": "django_vt.backends.http.HttpBackend",
            "ENDPOINT": vendor.endpoint,
        }
        yield vendor
