from __future__ import annotations

import pytest

from django_vt.delivery import deliver_due
from django_vt.models import Endpoint
from tests.support.delivering import one, statuses
from tests.unit.management.commands.conftest import run

pytestmark = pytest.mark.django_db


def test_a_hold_stops_sending_and_its_release_lets_it_go_on(script):
    one()
    assert run("hold_sending") == (
        "Sending is held from the next claim on: events are recorded and wait. `manage.py release_sending` ends that.\n"
    )
    deliver_due()
    assert statuses() == {"pending": 1}
    run("release_sending")
    deliver_due()
    assert statuses() == {"sent": 1}


def test_a_second_hold_changes_nothing_and_says_so():
    run("hold_sending")
    assert run("hold_sending") == "Sending was held already: events are recorded and wait.\n"
    assert Endpoint.objects.get().held_by_staff


def test_a_hold_is_for_every_account(script):
    one(account_id="acc124")
    run("hold_sending")
    deliver_due()
    assert statuses() == {"pending": 1}
