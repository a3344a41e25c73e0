from __future__ import annotations

import time

import pytest
from django.db import connection

from django_vt.operations import purging
from django_vt.operations.purging import LONGEST, LONGEST_REST, Pace


@pytest.fixture
def rests(monkeypatch):
    """How long the pace has rested; nothing waits."""
    taken = []
    monkeypatch.setattr(purging, "_rest", taken.append)
    return taken


@pytest.fixture
def takes(monkeypatch):
    """Lets a pace's next transaction take so many seconds, and gives its rows."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def take(pace, seconds):
        with pace.transaction() as rows:
            now[0] += seconds
        return rows

    return take


def test_what_takes_too_long_is_done_with_fewer_rows_until_it_does_not(takes, rests):
    pace = Pace(500, "default")
    assert [takes(pace, 0.2) for _ in range(6)] == [500, 250, 125, 62, 31, 20]
    assert takes(pace, 0.2) == 20


def test_quick_transactions_get_more_rows_again_but_never_more_than_the_most(takes, rests):
    pace = Pace(100, "default")
    takes(pace, 2 * LONGEST)
    assert [takes(pace, LONGEST / 10) for _ in range(3)] == [50, 100, 100]


def test_a_pace_that_suits_is_kept(takes, rests):
    pace = Pace(100, "default")
    assert [takes(pace, LONGEST / 2) for _ in range(3)] == [100, 100, 100]


def test_fewer_than_the_fewest_are_left_as_few(takes, rests):
    pace = Pace(3, "default")
    assert [takes(pace, 1) for _ in range(3)] == [3, 3, 3]


def test_the_shop_has_its_turn_for_as_long_as_the_transaction_was(takes, rests):
    pace = Pace(100, "default")
    for seconds in (0.01, 0.2, 60):
        takes(pace, seconds)
    assert rests == pytest.approx([0.01, 0.2, LONGEST_REST])


def test_a_transaction_that_fails_is_not_rested_after(takes, rests):
    pace = Pace(100, "default")
    with pytest.raises(LookupError), pace.transaction():
        raise LookupError
    assert rests == []


@pytest.mark.django_db(transaction=True)
def test_waiting_for_the_turn_to_write_is_not_counted(rests, monkeypatch):
    """Of SQLite's one writer at a time: fewer rows would not shorten it, and a purge beside a busy shop never end."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def wait_for_the_turn(execute, sql, params, many, context):
        now[0] += 60 if sql == "BEGIN" else 0
        return execute(sql, params, many, context)

    pace = Pace(100, "default")
    with connection.execute_wrapper(wait_for_the_turn), pace.transaction(), connection.cursor() as cursor:
        cursor.execute("BEGIN")
        now[0] += LONGEST / 2
        cursor.execute("ROLLBACK")
    assert rests == pytest.approx([LONGEST / 2])
    with pace.transaction() as rows:
        assert rows == 100
