from __future__ import annotations

import pytest

from django_vt.backends import locmem
from django_vt.backends.locmem import LocMemBackend
from django_vt.protocol.outcome import Reply
from tests.unit.backends.requests_to import login

pytestmark = pytest.mark.any_database


def test_locmem_keeps_the_request():
    request = login()
    assert LocMemBackend().send(request) == Reply(200)
    assert locmem.outbox == [request]
