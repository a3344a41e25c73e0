"""What a worker does when the database refuses: it tries again where the reason passes, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import DataError, Error, InterfaceError, InternalError, OperationalError, connection

from django_vt.models import db
from django_vt.models.db import PAUSES, with_retries

pytestmark = pytest.mark.django_db(transaction=True)


class OfPsycopg(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(db, "_sleep", waited.append)
    return waited


def refusing(times: int, error: Error, sqlstate: str = "") -> Callable[[], str]:
    left = [error] * times

    def function() -> str:
        if left:
            raise left.pop() from OfPsycopg(sqlstate)
        return "done"

    return function


@pytest.mark.parametrize("error", [OperationalError(), InterfaceError()])
def test_what_passes_is_waited_for_three_times(error, pauses):
    assert with_retries(refusing(3, error), "default") == "done"
    assert tuple(pauses) == PAUSES
    with pytest.raises(type(error)):
        with_retries(refusing(4, error), "default")


@pytest.mark.parametrize("error", [OperationalError(), InternalError()])
def test_a_server_that_has_become_read_only_is_left_for_the_one_that_takes_over(error, pauses):
    connection.ensure_connection()
    assert with_retries(refusing(1, error, "25006"), "default") == "done"
    assert connection.connection is None


@pytest.mark.parametrize("error", [DataError(), InternalError()])
def test_what_does_not_pass_is_raised_at_once(error, pauses):
    with pytest.raises(type(error)):
        with_retries(refusing(1, error, "42P01"), "default")
    assert pauses == []
