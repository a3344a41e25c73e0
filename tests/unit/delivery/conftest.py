from __future__ import annotations

from typing import Any

import pytest

from tests.support.delivering import ACCOUNT, configure


@pytest.fixture
def several_accounts(settings: Any) -> None:
    """The settings name the accounts `other` and `idle` beside that of the tests."""
    configure(settings, ACCOUNT_ID={"one.example": ACCOUNT, "two.example": "other", "three.example": "idle"})
