from __future__ import annotations

import pytest

from django_vt.backends import Backend
from django_vt.backends.console import ConsoleBackend
from django_vt.backends.dummy import DummyBackend
from django_vt.backends.http import HttpBackend
from django_vt.backends.locmem import LocMemBackend

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize("backend", [ConsoleBackend, DummyBackend, HttpBackend, LocMemBackend])
def test_no_backend_has_anything_to_say_to_the_checks_and_each_can_be_closed(backend):
    assert backend.check() == []
    backend().close()


def test_a_backend_must_say_how_to_send():
    with pytest.raises(TypeError, match="send"):
        Backend()  # type: ignore[abstract]
