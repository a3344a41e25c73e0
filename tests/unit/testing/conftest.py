from __future__ import annotations

from collections.abc import Iterator

import pytest

from django_vt.testing import FakeVendor
from tests.support.raw_client import LOGIN, target


@pytest.fixture
def vendor() -> Iterator[FakeVendor]:
    with FakeVendor() as vendor:
        yield vendor


@pytest.fixture
def url(vendor: FakeVendor) -> str:
    """Where a login is to be asked for."""
    return vendor.endpoint.removesuffix("/event") + target(LOGIN)
