from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from django_vt.management import wording


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "less than a minute"),
        (59.9, "less than a minute"),
        (60, "1 minute"),
        (1200, "20 minutes"),
        (7300, "2 hours"),
        (86400, "1 day"),
        (86400 * 1200, "3 years"),
    ],
)
def test_a_span_is_told_in_its_largest_unit(seconds, words):
    assert wording.span(timedelta(seconds=seconds)) == words


def test_a_moment_is_told_in_the_project_s_time_zone():
    assert wording.moment(datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)) == "2026-11-23 14:00:00 EET"


def test_a_naive_moment_is_told_as_it_is():
    assert wording.moment(datetime(2026, 11, 23, 12, 0)) == "2026-11-23 12:00:00"  # noqa: DTZ001


@pytest.mark.parametrize(("number", "words"), [(0, "0 entries"), (1, "1 entry"), (1234, "1,234 entries")])
def test_entries_are_counted_in_words(number, words):
    assert wording.entries(number) == words
