from __future__ import annotations

import pytest

from django_vt.backends.console import ConsoleBackend
from django_vt.protocol.outcome import Reply
from tests.unit.backends.requests_to import logins

pytestmark = pytest.mark.any_database


def test_the_console_shows_each_event_readably(capsys):
    [request] = logins(1, 2, source="știri")
    assert ConsoleBackend().send(request) == Reply(200)
    shown = capsys.readouterr().out
    assert shown.startswith("Vibetrace acc123 login: 2 event(s)\n{\n")
    assert shown.count('  "source": "știri"\n') == 2
