from __future__ import annotations

import time

import pytest

from django_vt.delivery import clock


@pytest.fixture
def times(monkeypatch):
    """The machine was started 100 seconds ago, and has been suspended for 60 of them."""
    monkeypatch.setattr(time, "CLOCK_BOOTTIME", 7, raising=False)
    monkeypatch.setattr(time, "clock_gettime", {7: 100.0}.__getitem__)
    monkeypatch.setattr(time, "monotonic", lambda: 40.0)


def test_a_machine_that_was_suspended_has_grown_older(times):
    assert clock.elapsed() == 100.0


def test_without_a_clock_that_counts_that_it_goes_by_the_one_there_is(times, monkeypatch):
    monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    assert clock.elapsed() == 40.0


def test_a_clock_that_is_named_and_cannot_be_read_is_none(times, monkeypatch):
    def refuse(clock_id):
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(time, "clock_gettime", refuse)
    assert clock.elapsed() == 40.0
