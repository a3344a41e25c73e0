from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from django_vt.management import arguments
from django_vt.management.arguments import WrongArgument

BUCHAREST = ZoneInfo("Europe/Bucharest")  # the tests' TIME_ZONE


@pytest.mark.parametrize(("given", "number"), [("1", 1), (7, 7), ("100", 100)])
def test_a_whole_number_is_read(given, number):
    assert arguments.whole_number("N", given, largest=100) == number


@pytest.mark.parametrize("given", ["0", "-1", "101", "1.5", "", "many", None, True, "9" * 5000])
def test_what_is_no_whole_number_in_its_range_is_refused(given):
    with pytest.raises(WrongArgument, match=r"^argument N: must be a whole number from 1 to 100$"):
        arguments.whole_number("N", given, largest=100)


@pytest.mark.parametrize(("given", "days"), [("90", 90), (0, 0), ("0.5", 0.5), (36500, 36500)])
def test_days_are_read(given, days):
    assert arguments.number_of_days("--days", given) == timedelta(days=days)


@pytest.mark.parametrize("given", ["-1", "36501", "inf", "nan", "a week", ""])
def test_what_is_no_number_of_days_is_refused(given):
    with pytest.raises(WrongArgument, match=r"^argument --days: must be a number of days"):
        arguments.number_of_days("--days", given)


@pytest.mark.parametrize(("given", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86400), ("0s", 0)])
def test_a_duration_is_read_with_its_unit(given, seconds):
    assert arguments.duration("--max-age", given) == timedelta(seconds=seconds)


@pytest.mark.parametrize("given", ["15", "m", "15 m", "-1m", "1.5h", "15M", "15m ", "2w", "", "9999999d"])
def test_what_is_no_duration_is_refused_with_examples(given):
    with pytest.raises(WrongArgument, match=r"^argument --max-age: .* such as 90s, 15m, 2h or 1d$"):
        arguments.duration("--max-age", given)


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=BUCHAREST)),
        (date(2026, 11, 23), datetime(2026, 11, 23, tzinfo=BUCHAREST)),
        ("2026-11-23T14:30", datetime(2026, 11, 23, 14, 30, tzinfo=BUCHAREST)),
        ("2026-11-23 14:30:15", datetime(2026, 11, 23, 14, 30, 15, tzinfo=BUCHAREST)),
        ("2026-11-23T14:30Z", datetime(2026, 11, 23, 14, 30, tzinfo=timezone.utc)),
        ("2026-11-23T14:30+01:00", datetime(2026, 11, 23, 13, 30, tzinfo=timezone.utc)),
    ],
)
def test_a_date_or_time_is_read_in_the_project_s_time_zone(given, moment):
    assert arguments.beginning("--since", given) == moment


def test_until_a_date_means_its_end():
    assert arguments.end("--until", "2026-11-23") == datetime(2026, 11, 24, tzinfo=BUCHAREST)
    assert arguments.end("--until", "2026-11-23T14:30") == datetime(2026, 11, 23, 14, 30, tzinfo=BUCHAREST)


@pytest.mark.parametrize("given", ["23.11.2026", "yesterday", "2026-13-01", "2026-11-23T25:00", ""])
def test_what_is_no_date_is_refused_with_an_example(given):
    with pytest.raises(WrongArgument, match=r"^argument --since: .* such as 2026-11-23 or 2026-11-23T14:30$"):
        arguments.beginning("--since", given)


def test_a_day_without_an_end_is_refused():
    with pytest.raises(WrongArgument, match=r"^argument --until: is too far away$"):
        arguments.end("--until", "9999-12-31")


def test_times_are_naive_where_the_project_s_are(settings):
    settings.USE_TZ = False
    assert arguments.beginning("--since", "2026-11-23") == datetime(2026, 11, 23)  # noqa: DTZ001
    assert arguments.beginning("--since", "2026-11-23T12:30Z") == datetime(2026, 11, 23, 14, 30)  # noqa: DTZ001
