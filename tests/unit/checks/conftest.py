from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
from django.core.checks import CheckMessage, run_checks

# None of these tests is marked django_db: pytest-django fails any that connects to a database.

ACCOUNT = {"ACCOUNT_ID": "acc123"}

Found: TypeAlias = Callable[..., list[CheckMessage]]


@pytest.fixture
def found(settings) -> Found:
    """Runs the checks with these keys in the block; gives what they found."""

    def run(**keys: object) -> list[CheckMessage]:
        settings.DJANGO_VT = {**ACCOUNT, **keys}
        return run_checks(tags=["django_vt"])

    return run


def ids(messages: list[CheckMessage]) -> list[str]:
    """The numbers alone: `E005`."""
    return [message.id.removeprefix("django_vt.") for message in messages]
