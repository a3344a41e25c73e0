"""The vendor's event endpoint on loopback: `FakeVendor`, and the ways in which it can be told to fail.

Needs neither Django nor settings. `python -m django_vt.testing.fake_vendor --port 8765` runs it on its own.
"""

from .misbehaviour import (
    Answer,
    DripBody,
    DripHead,
    Garbage,
    Hang,
    HugeBody,
    MalformedHeaders,
    Misbehaviour,
    Redirect,
    ResetAfterReading,
    ResetBeforeReading,
    TruncatedBody,
)
from .request import VendorRequest
from .vendor import FakeVendor

__all__ = [
    "Answer",
    "DripBody",
    "DripHead",
    "FakeVendor",
    "Garbage",
    "Hang",
    "HugeBody",
    "MalformedHeaders",
    "Misbehaviour",
    "Redirect",
    "ResetAfterReading",
    "ResetBeforeReading",
    "TruncatedBody",
    "VendorRequest",
]
