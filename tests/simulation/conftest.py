from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from django_vt.delivery import claim, clock
from tests.simulation.world import World
from tests.support.delivering import ACCOUNT, configure


@pytest.fixture
def world(settings: Any, monkeypatch: pytest.MonkeyPatch, db: None) -> World:
    """A world whose time the package takes for the time."""
    accounts = {"shop.example": ACCOUNT, "other.example": "other"}
    configure(settings, BACKEND="tests.simulation.world.NoBackend", ACCOUNT_ID=accounts)
    made = World()
    monkeypatch.setattr(timezone, "now", made.machine_now)
    monkeypatch.setattr(clock, "read_milliseconds", lambda using: made.database_ms())
    monkeypatch.setattr(clock, "elapsed", lambda: made.now)
    # Workers look at least once a minute; in days of virtual time that would be most of what happens.
    monkeypatch.setattr(claim, "LONGEST_SLEEP", 600.0)
    return made
