"""Helpers for a shop's own tests: the events that a block recorded, and a stand-in for the vendor.

::

    from django_vt.testing import FakeVendor, captured_events

    with captured_events() as events:
        client.post("/checkout/")
    assert [event.event_type for event in events] == ["confirmation"]

For pytest, the package has the fixtures `vt_events` and `fake_vendor` (`django_vt.testing.pytest_plugin`).
"""

from .captured_events import CapturedEvents, captured_events
from .fake_vendor import Answer, FakeVendor, Hang, Misbehaviour, VendorRequest

__all__ = [
    "Answer",
    "CapturedEvents",
    "FakeVendor",
    "Hang",
    "Misbehaviour",
    "VendorRequest",
    "captured_events",
]
