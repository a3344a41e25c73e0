from __future__ import annotations

import pytest

from django_vt.backends import Backend, locmem
from django_vt.backends.console import ConsoleBackend
from django_vt.backends.dummy import DummyBackend
from django_vt.backends.http import HttpBackend
from django_vt.backends.locmem import LocMemBackend
from django_vt.protocol.outcome import Reply
from tests.unit.backends.requests_to import login, logins

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize("backend", [ConsoleBackend, DummyBackend, HttpBackend, LocMemBackend])
def test_no_backend_has_anything_to_say_to_the_checks_and_each_can_be_closed(backend):
    assert backend.check() == []
    backend().close()


def test_a_backend_must_say_how_to_send():
    with pytest.raises(TypeError, match="send"):
        Backend()  # type: ignore[abstract]


def test_the_console_shows_each_event_readably(capsys):
    [request] = logins(1, 2, source="știri")
    assert ConsoleBackend().send(request) == Reply(200)
    shown = capsys.readouterr().out
    assert shown.startswith("Vibetrace acc123 login: 2 event(s)\n{\n")
    assert shown.count('  "source": "știri"\n') == 2


def test_locmem_keeps_the_request():
    request = login()
    assert LocMemBackend().send(request) == Reply(200)
    assert locmem.outbox == [request]


def test_dummy_keeps_nothing():
    assert DummyBackend().send(login()) == Reply(200)
    assert locmem.outbox == []
