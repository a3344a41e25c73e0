"""The package's pytest fixtures. pytest finds them by the package's entry point, so they need no setup.

The fixtures need pytest-django. The module is also imported in projects without Django, and does no harm there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .captured_events import CapturedEvents, capturing, raising_settings
from .fake_vendor import FakeVendor

if TYPE_CHECKING:
    from pytest_django import Settings

# Both change settings through pytest-django's fixture, which undoes changes in reverse order. If a fixture changed them
# otherwise and the test then set `settings.DJANGO_VT = ...`, undoing that would restore the fixture's change for good.


@pytest.fixture
def vt_events(db: None, settings: Settings) -> Iterator[CapturedEvents]:
    """The events recorded in this test so far, a sequence of `SendLogEntry`: `captured_events()` for the whole test.

    Logins by `client.force_login()` and `client.login()` are not among them. An order that cannot be sent raises.

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
    """A running `django_vt.testing.FakeVendor`, to which DJANGO_VT sends events over real HTTP.

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
