from __future__ import annotations

import pytest

from django_vt.backends import locmem
from django_vt.backends.dummy import DummyBackend
from django_vt.protocol.outcome import Reply
from tests.unit.backends.requests_to import login

pytestmark = pytest.mark.any_database


def test_dummy_keeps_nothing():
    assert DummyBackend().send(login()) == Reply(200)
    assert locmem.outbox == []
