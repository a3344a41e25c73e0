from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_vt.backends.http import HttpBackend
from django_vt.testing import FakeVendor
from tests.support.delivering import configure

CANARY = "canary@example.com"


@pytest.fixture
def backend() -> Iterator[HttpBackend]:
    backend = HttpBackend()
    yield backend
    backend.close()


@pytest.fixture
def vendor(fake_vendor: FakeVendor, settings: Any) -> FakeVendor:
    """The stand-in, with a deadline of half a second."""
    configure(settings, TIMEOUT=(0.2, 0.3))
    return fake_vendor
