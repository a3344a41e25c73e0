"""What stands above the list: the state of sending, the figures, the reasons and the chart."""

from __future__ import annotations

import html
import re
import time
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from django_vt.admin import filters
from django_vt.admin.overview import HEIGHT, LOWEST_BAR, Chart, Overview, figures
from django_vt.models import functions
from django_vt.operations.figures import DAY, PERIOD_OF, Step
from django_vt.operations.sending_state import SendingState
from tests.support import table_scans
from tests.support.delivering import endpoint_row
from tests.support.people import url
from tests.unit.admin.conftest import ago


def text(client, **filtered) -> str:
    response = client.get(url("changelist"), filtered)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def overview(period: str | None, **asked: str) -> Overview:
    return Overview.of({"recorded": period or "", **asked}, SendingState.seen_on("default"), "default")


def counts(period: str | None = None) -> list[list[str]]:
    return [[figure.count for figure in row] for _words, row, _share in overview(period).counts()]


def test_entries_are_counted_by_status_and_period(record):
    record("1")
    record("2", status="sent", created_at=ago(hours=25))
    record("3", status="sent", created_at=ago(days=8))
    record("4", status="failed", created_at=ago(days=29))
    record("5", status="skipped", created_at=ago(days=31))
    # Pending, sent, failed, skipped.
    assert counts() == [["1", "0", "0", "0"], ["1", "1", "0", "0"], ["1", "2", "1", "0"]]


def test_each_figure_leads_to_the_entries_it_counts(viewer, record):
    record("1")
    record("2", status="sent", created_at=ago(hours=25))
    links = {figure.link: figure.count for _words, row, _share in overview(None).counts() for figure in row}
    assert len(links) == 12
    for link, count in links.items():
        response = viewer.get(url("changelist") + link)
        assert str(len(response.context["cl"].result_list)) == count


def test_counting_ends_at_the_limit(record, monkeypatch):
    monkeypatch.setattr(functions, "LIMIT", 2)
    for number in range(3):
        record(str(number), status="sent")
    assert counts()[0][1] == "more than 2"


def test_the_figures_are_three_queries_and_kept_for_a_minute(record, clock, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: datetime.timestamp(clock.now))
    record(status="failed", reason="tls", created_at=clock.now - timedelta(minutes=1))
    with CaptureQueriesContext(connection) as captured:
        figures(DAY, "default")
    assert len(captured) == 3
    record()
    clock.advance(59)
    assert counts() == [["0", "0", "1", "0"]] * 3
    clock.advance(1)
    assert counts()[0][0] == "1"


def test_the_figures_are_not_asked_of_the_project_s_cache(record, settings):
    """It may be a server that is down."""
    settings.CACHES = {"default": {"BACKEND": "tests.no_such_cache.Cache"}}
    record()
    assert counts()[0][0] == "1"


def test_the_figures_read_by_index_only(record):
    record(status="failed")
    with CaptureQueriesContext(connection) as captured:
        figures(DAY, "default")
    for query in captured.captured_queries:
        assert table_scans.scans(query["sql"]) == []


def test_what_sending_does_is_told_above_the_list(viewer, clock):
    endpoint_row(consecutive_failures=3, reason="timed out", paused_until=clock.now + timedelta(minutes=5))
    assert "sending is paused for 5\xa0minutes. Vibetrace did not answer in time." in text(viewer)


def test_the_age_of_what_is_due_is_told(viewer, record, clock):
    assert "Nothing is waiting that is due." in text(viewer)
    record(due_at=clock.now + timedelta(minutes=3))
    assert "Nothing is waiting that is due." in text(viewer)
    record(due_at=clock.now - timedelta(minutes=20))
    assert "The oldest entry that is due has been waiting for 20\xa0minutes." in text(viewer)


def test_the_commonest_reasons_come_first_and_lead_to_their_entries(operator, record):
    for number, reason in enumerate(["tls", "answered: 400", "answered: 400"]):
        record(str(number), status="failed", reason=reason)
    record("9", status="failed", reason="timed out", created_at=ago(days=2))
    failures = overview(None).failures()
    assert [(failure.words, failure.figure.count) for failure in failures] == [
        ("Vibetrace refused it (answer 400)", "2"),
        ("Vibetrace could not prove that it is Vibetrace: its certificate was not accepted", "1"),
    ]
    response = operator.get(url("changelist") + failures[0].figure.link)
    assert {entry.reason for entry in response.context["cl"].result_list} == {"answered: 400"}
    assert 'name="reason" value="answered: 400"' in text(operator)
    assert 'name="reason" value="timed out"' not in text(operator)
    assert 'name="reason" value="timed out"' in text(operator, recorded="7d")


def test_nothing_failed_is_said(viewer):
    assert "Nothing has failed." in text(viewer)
    assert "Nothing was recorded." in text(viewer)


def test_the_chart_is_of_the_period_that_the_list_is_filtered_by(viewer, record):
    record(status="sent")
    assert text(viewer).count('<th scope="row">') == 3 + 24
    assert text(viewer, recorded="7d").count('<th scope="row">') == 3 + 7
    assert text(viewer, recorded="30d").count('<th scope="row">') == 3 + 30
    assert text(viewer, recorded="nonsense").count('<th scope="row">') == 3 + 24


def test_the_chart_is_an_svg_without_script_or_style(viewer, record):
    record("1", status="sent")
    record("2", status="failed", created_at=ago(hours=2))
    page = text(viewer)
    start = page.index('<svg class="vt-chart"')
    svg = ElementTree.fromstring(page[start : page.index("</svg>", start) + len("</svg>")])
    assert svg.get("role") == "img"
    assert svg.get("aria-label")
    assert [rect.get("class") for rect in svg.iter("rect")] == ["vt-failed", "vt-sent vt-unfinished"]


def test_no_page_has_a_style_or_a_script_of_its_own(operator, record):
    entry = record("1", status="failed", reason="tls")
    pages = [operator.get(url("changelist")), operator.get(url("change", entry.pk))]
    pages += [operator.post(url("resend"), {"ids": entry.pk}), operator.post(url("hold"), {"held": "yes"})]
    for page in pages:
        written = page.content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", written)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", written))


def steps(*all_counts: tuple[int, int, int]) -> list[Step]:
    start = datetime(2026, 11, 23, 10, tzinfo=timezone.utc)
    counted = [dict(zip(("sent", "failed", "skipped"), counts, strict=True)) for counts in all_counts]
    return [Step(start + timedelta(hours=hour), counts) for hour, counts in enumerate(counted)]


def test_bars_stand_on_each_other_and_fill_the_height():
    bars = list(Chart(steps((2, 1, 1), (0, 0, 1)), by_hour=True).bars())
    assert [(bar.status, bar.x, bar.y, bar.height) for bar in bars] == [
        ("sent", "1", "50", "50"),
        ("failed", "1", "25", "25"),
        ("skipped", "1", "0", "25"),
        ("skipped", "11", "75", "25"),
    ]


def test_a_single_failure_among_thousands_is_seen():
    (_sent, failed) = Chart(steps((10_000, 1, 0)), by_hour=True).bars()
    assert (failed.status, failed.height, failed.y) == ("failed", "1", "0")
    (alone, _sent) = Chart(steps((0, 1, 0), (10_000, 0, 0)), by_hour=True).bars()
    assert alone.height == str(LOWEST_BAR)
    assert alone.y == str(HEIGHT - LOWEST_BAR)


def test_the_chart_says_in_words_what_it_shows():
    chart = Chart(steps((10_001, 0, 2), (0, 0, 0)), by_hour=True)
    assert chart.highest == "more than 10,000"
    assert [(row.label, row.counts) for row in chart.rows()] == [
        ("noon", ("more than 10,000", "0", "2")),
        ("1 p.m.", ("0", "0", "0")),
    ]
    assert (chart.first, chart.last) == ("noon", "1 p.m.")
    assert not chart.is_empty
    assert Chart(steps((0, 0, 0)), by_hour=True).is_empty


def test_the_svg_has_no_numbers_in_the_readers_language(viewer, record, settings):
    settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "ro", True
    for number in range(3):
        record(str(number), status="sent")
    with translation.override("ro"):
        page = text(viewer)
    rects = re.findall(r"<rect[^>]*>", page)
    assert rects
    assert all(
        re.fullmatch(r'<rect class="vt-\w+( vt-unfinished)?"( (x|y|width|height)="\d+")+>', rect) for rect in rects
    )


def test_hours_and_days_are_the_readers(clock):
    clock.now = datetime(2026, 11, 23, 22, 30, tzinfo=timezone.utc)  # 00:30 of the 24th in Bucharest
    assert [str(moment) for moment in DAY.steps()[-1]] == ["2026-11-24 00:00:00+02:00", "2026-11-24 01:00:00+02:00"]
    assert len(DAY.steps()) == 24
    week = PERIOD_OF["7d"].steps()
    assert (str(week[0][0]), str(week[-1][1])) == ("2026-11-18 00:00:00+02:00", "2026-11-25 00:00:00+02:00")


@pytest.mark.parametrize("key", ["24h", "7d", "30d"])
def test_the_steps_leave_no_gap_when_the_clocks_change(key, clock):
    clock.now = datetime(2026, 10, 25, 12, 0, tzinfo=timezone.utc)
    all_steps = PERIOD_OF[key].steps()
    assert all(earlier[1] == later[0] for earlier, later in pairwise(all_steps))


def test_it_works_without_time_zones(viewer, record, settings):
    settings.USE_TZ = False
    record(status="sent", created_at=datetime(2026, 1, 1), sent_at=datetime(2026, 1, 1))  # noqa: DTZ001
    assert "01/01/2026 00:00:00" in text(viewer)


def test_the_share_that_got_through_is_told_of_each_period(viewer, record):
    for number in range(3):
        record(str(number), status="sent")
    record("4", status="failed")
    record("5")
    assert [share for _words, _row, share in overview(None).counts()] == ["75.0 %"] * 3
    assert "75.0 %" in text(viewer)


@pytest.mark.django_db
def test_where_nothing_has_ended_or_too_much_to_be_counted_no_share_is_told(record, monkeypatch):
    record("1")
    assert [share for _words, _row, share in overview(None).counts()] == [""] * 3
    filters.forget()
    monkeypatch.setattr(functions, "LIMIT", 1)
    for number in range(3):
        record(str(number), status="sent")
    assert [share for _words, _row, share in overview(None).counts()] == [""] * 3


def test_the_hour_that_is_not_over_is_pale_and_that_is_said():
    bars = list(Chart(steps((1, 0, 0), (1, 1, 0)), by_hour=True).bars())
    assert [bar.is_unfinished for bar in bars] == [False, True, True]


@pytest.mark.parametrize(("highest", "scale"), [(8, ["8", "4", "0"]), (1, ["1", "0"]), (0, ["0"])])
def test_the_numbers_beside_the_bars_go_down_to_nothing(highest, scale):
    assert Chart(steps((highest, 0, 0)), by_hour=True).scale() == scale


def test_the_week_before_is_an_outline_on_the_same_scale():
    chart = Chart(steps((1, 0, 0), (0, 1, 0)), by_hour=True, before=(4, 0))
    assert [(bar.status, bar.x, bar.height) for bar in chart.bars()] == [
        ("before", "1", "100"), ("sent", "1", "25"), ("failed", "11", "25"),
    ]  # fmt: skip
    assert [row.counts for row in chart.rows()] == [("1", "0", "0", "4"), ("0", "1", "0", "0")]


def test_of_a_week_before_in_which_nothing_was_recorded_nothing_is_said(viewer, record):
    record("1", status="sent")
    assert "A week earlier" not in text(viewer)
    filters.forget()
    record("2", status="sent", created_at=ago(days=7))
    assert text(viewer).count("A week earlier") == 2  # beside the chart and in its table


@pytest.mark.parametrize(("period", "earlier"), [("24h", {"days": 7}), ("7d", {"days": 9}), ("30d", {"days": 33})])
def test_each_hour_and_day_has_beside_it_the_one_a_week_earlier(record, period, earlier):
    record("1", status="sent", created_at=ago(**earlier))
    before = [row.counts[-1] for row in overview(period).chart().rows()]
    assert sorted(before)[-2:] == ["0", "1"]


def test_entries_are_counted_by_type(viewer, record):
    record("1", status="sent")
    assert overview(None).types() == []  # where there is but one
    record("2", event_type="login", status="failed")
    record("3", event_type="login", status="sent", created_at=ago(days=2))
    filters.forget()
    for period, shares in ((None, ["100.0 %", "0.0 %"]), ("7d", ["100.0 %", "50.0 %"])):
        types = overview(period).types()
        assert [(name, share) for name, _figures, share in types] == list(zip(["order", "login"], shares, strict=True))
        links = {figure.link: figure.count for _name, row, _share in types for figure in row}
        assert len(links) == 8
        for link, count in links.items():
            assert str(len(viewer.get(url("changelist") + link).context["cl"].result_list)) == count


@pytest.mark.parametrize("period", ["24h", "7d", "30d"])
def test_the_figures_fit_into_a_statement_of_an_old_sqlite(record, period):
    """Before 3.32 it takes 999 values."""
    record("1", event_type="login")
    numbers = []

    def count(execute, sql, values, *others):
        numbers.append(len(values or ()))
        return execute(sql, values, *others)

    with connection.execute_wrapper(count):
        overview(period, type="login")
    assert 50 < max(numbers) < 999


def test_a_type_that_is_new_within_the_minute_takes_no_figures_of_others(record):
    record("1", event_type="login", status="failed")
    record("2", event_type="wishlist", status="sent")
    before = overview(None).types()
    filters._kept.delete("types:default")
    record("3", event_type="addtocart", status="sent")
    assert overview(None).types() == before


def test_what_still_waits_from_a_week_ago_is_not_in_the_outline(record):
    record("1", created_at=ago(days=7))
    assert sum(overview(None)._figures.before) == 0


def test_figures_reasons_and_chart_follow_the_filter_by_type(viewer, record):
    record("1", status="failed", reason="answered: 400")
    record("2", event_type="login", status="failed", reason="answered: 404")
    record("3", event_type="login", status="sent")
    logins = overview(None, type="login")
    assert logins.counts()[0][1][1].count == "1"
    assert [failure.reason for failure in logins.failures()] == ["answered: 404"]
    assert logins.chart().rows()[-1].counts[:3] == ("1", "1", "0")
    assert all("type=login" in query for query, _words, _is_shown in logins.periods())
    assert "Reasons of failure: Last 24 hours, login" in text(viewer, type="login")
    assert overview(None, type="none such").counts() == overview(None).counts()


def test_the_chart_has_periods_of_its_own(viewer, record):
    record("1", status="sent")
    page = text(viewer, recorded="7d")
    assert '<a href="?recorded=7d" aria-current="true">Last 7 days</a>' in page
    assert '<a href="?recorded=30d">Last 30 days</a>' in page
    assert "The last day is not over: it is pale." in page
