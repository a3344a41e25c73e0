from __future__ import annotations

import pytest

from django_vt.models import Endpoint
from tests.support.delivering import configure, one, pending
from tests.unit.management.commands.conftest import ms, pause, run

pytestmark = pytest.mark.django_db


def test_a_release_sends_nothing_and_says_what_will(script):
    run("hold_sending")
    pending(2)
    one(due_at=ms(hours=1))
    first, second, third = run("release_sending").splitlines()
    assert (first, second) == ("Sending is released.", "2 entries due.")
    assert third.startswith("`manage.py send_pending` sends what is due at once; ")
    assert script.requests == []


def test_a_release_without_a_hold_says_so():
    assert run("release_sending") == "Sending was not held.\n0 entries due.\n"


def test_a_release_tells_what_else_is_in_the_way(settings):
    run("hold_sending")
    Endpoint.objects.all().delete()
    pause()
    one()
    configure(settings, ENABLED=False)
    _not_held, due, switched_off, paused = run("release_sending").splitlines()
    assert (due, switched_off) == ("1 entry due.", 'Nothing is sent: DJANGO_VT["ENABLED"] is False.')
    assert paused.startswith("Sending events of type wishlist for account acc123 is paused until ")
