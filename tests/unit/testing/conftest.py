from __future__ import annotations

from collections.abc import Iterator

import pytest

from django_vt.testing import FakeVendor


@pytest.fixture
def vendor() -> Iterator[FakeVendor]:
    with FakeVendor() as vendor:
        yield vendor
