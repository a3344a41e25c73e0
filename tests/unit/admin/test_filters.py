"""Staff find entries by day, by answer and by reason, and act on all that the filters show."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from django_vt.admin import filters
from django_vt.models import SendLogEntry, Status
from tests.support.people import url
from tests.unit.admin.conftest import RESEND, VIEW


def listed(client, **query):
    response = client.get(url("changelist"), query)
    assert response.status_code == 200
    return {entry.reference for entry in response.context["cl"].result_list}


def shown(response):
    return html.unescape(response.content.decode())


@pytest.fixture
def days(record, settings):
    """Entries around the midnights of two days in Bucharest, summer time ending in between."""
    settings.TIME_ZONE = "Europe/Bucharest"
    for reference, day, hour, minute in (
        ("before", 23, 23, 59),
        ("first", 24, 0, 0),
        ("night", 25, 3, 30),
        ("last", 25, 23, 59),
        ("after", 26, 0, 0),
    ):
        moment = datetime(2026, 10, day, hour, minute, tzinfo=ZoneInfo("Europe/Bucharest"))
        record(reference, created_at=moment)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"since": "2026-10-24", "until": "2026-10-25"}, {"first", "night", "last"}),
        ({"since": "2026-10-25"}, {"night", "last", "after"}),
        ({"until": "2026-10-24"}, {"before", "first"}),
        ({"since": "", "until": ""}, {"before", "first", "night", "last", "after"}),
        ({"since": "2026-10-26", "until": "2026-10-25"}, set()),
        ({"until": "9999-12-31"}, {"before", "first", "night", "last", "after"}),
    ],
)
def test_days_are_the_readers_and_both_count(viewer, days, query, found):
    assert listed(viewer, **query) == found


def test_days_are_the_projects_where_time_zones_are_off(viewer, record, settings):
    settings.USE_TZ = False
    for reference, hour in (("early", -1), ("late", 0)):
        moment = datetime.fromisoformat("2026-10-25") + timedelta(hours=hour)
        record(reference, status="skipped", created_at=moment)
    assert listed(viewer, since="2026-10-25") == {"late"}


def test_a_day_that_begins_twice_or_not_at_midnight_is_whole(viewer, record, settings):
    """In Santiago summer time begins at midnight: the day begins at one."""
    settings.TIME_ZONE = "America/Santiago"
    record("in it", created_at=datetime(2026, 9, 6, 4, 5, tzinfo=timezone.utc))
    record("before", created_at=datetime(2026, 9, 6, 3, 55, tzinfo=timezone.utc))
    assert listed(viewer, since="2026-09-06", until="2026-09-06") == {"in it"}


@pytest.mark.parametrize("junk", ["yesterday", "2026-13-01", "0001-01-01T00", "'"])
def test_what_is_no_day_is_answered_as_any_other_wrong_filter(viewer, record, junk):
    record("1")
    assert viewer.get(url("changelist"), {"since": junk}).url == f"{url('changelist')}?e=1"


def test_the_first_day_and_the_last_that_there_are_break_nothing(viewer, record, settings):
    settings.TIME_ZONE = "Europe/Bucharest"
    record("1")
    assert listed(viewer, since="0001-01-01", until="9999-12-31") == {"1"}


def test_the_form_of_days_keeps_the_other_filters_and_begins_with_page_one(viewer, record):
    record("1", status="failed", reason="tls")
    page = shown(viewer.get(url("changelist"), {"status": "failed", "since": "2026-01-01", "p": "1"}))
    form = page[page.index('class="vt-days"') :]
    form = form[: form.index("</form>")]
    assert re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form) == [("status", "failed")]
    assert 'name="since" value="2026-01-01"' in form


@pytest.mark.parametrize(
    ("answer", "found"),
    [("2xx", {"sent"}), ("4xx", {"refused"}), ("5xx", {"busy"}), ("503", {"busy"}), ("none", {"silent"}), ("", None)],
)
def test_entries_are_found_by_the_last_answer(viewer, record, answer, found):
    everything = {"sent": 200, "refused": 400, "busy": 503, "silent": None}
    for reference, status in everything.items():
        record(reference, status="failed", response_status=status)
    assert listed(viewer, answer=answer) == (set(everything) if found is None else found)


def test_an_answer_that_is_asked_for_by_number_can_be_left_again(viewer, record):
    record("1", status="failed", response_status=503)
    assert ">503</a>" in shown(viewer.get(url("changelist"), {"answer": "503"}))
    assert ">503</a>" not in shown(viewer.get(url("changelist")))


def test_the_reasons_of_the_newest_can_be_chosen(viewer, record):
    record("1", status="failed", reason="tls")
    record("2", status="skipped", reason="invalid: items[0].id")
    record("3", status="sent")
    page = shown(viewer.get(url("changelist")))
    assert "?reason=tls" in page
    assert "Article 1 of the order has no number that can be used" in page
    assert listed(viewer, reason="invalid: items[0].id") == {"2"}
    assert listed(viewer, reason="tls") == {"1"}
    assert listed(viewer, reason="tls", status="skipped") == set()


def test_filters_that_look_at_the_newest_narrow_each_other(viewer, record):
    record("1", status="failed", reason="answered: 503", response_status=503)
    record("2", status="failed", reason="answered: 503", response_status=500)
    record("3", status="failed", reason="tls", response_status=503)
    assert listed(viewer, reason="answered: 503", answer="503") == {"1"}


def form_for_all(page, action):
    """Its address, its fields, and the label of its button."""
    for address, form in re.findall(r'<form method="post" action="([^"]*)">(.*?)</form>', page, re.DOTALL):
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        if fields.get("action") == action:
            return address, fields, re.search(r'type="submit"[^>]* value="([^"]*)"', form)[1]
    return None


def test_all_that_a_filter_shows_can_be_sent_again(operator, record):
    for number in range(3):
        record(str(number), status="failed", reason="tls")
    record("9", status="skipped", reason="expired")
    page = shown(operator.get(url("changelist"), {"status": "failed"}))
    address, fields, label = form_for_all(page, "send_again")
    assert label == "Send all again that are shown (3)"
    asked = shown(operator.post(url("changelist") + address, fields))
    assert "3 entries will be queued and sent again" in asked
    ids = re.search(r'name="ids" value="([^"]*)"', asked)[1]
    operator.post(url("resend"), {"ids": ids, "confirmed": "yes"})
    assert SendLogEntry.objects.filter(status=Status.PENDING).count() == 3


def test_without_a_filter_or_the_permission_nothing_is_sent_again_at_once(operator, viewer, record):
    record("1", status="failed", reason="tls")
    assert form_for_all(shown(operator.get(url("changelist"))), "send_again") is None
    assert form_for_all(shown(viewer.get(url("changelist"), {"status": "failed"})), "send_again") is None


def test_where_the_cause_is_to_be_mended_first_the_question_warns(log_in, record):
    operator = log_in(VIEW, RESEND)
    record("1", status="failed", reason="answered: 400")
    record("2", status="failed", reason="answered: 400")
    record("3", status="failed", reason="answered: 503")
    ids = ",".join(str(pk) for pk in SendLogEntry.objects.values_list("pk", flat=True))
    page = " ".join(shown(operator.post(url("resend"), {"ids": ids})).split())
    assert "will not get through again unless its cause is mended" in page
    assert "2: Vibetrace refused it (answer 400). Ask Vibetrace why it refuses this event." in page
    assert "answer 503" not in page


def test_what_passes_by_itself_is_sent_again_without_a_warning(operator, record):
    record("3", status="failed", reason="answered: 503")
    page = shown(operator.post(url("resend"), {"ids": str(SendLogEntry.objects.get().pk)}))
    assert "unless its cause is mended" not in page


def test_the_reasons_are_asked_for_once_a_minute(viewer, record, django_assert_num_queries):
    record("1", status="failed", reason="tls")
    viewer.get(url("changelist"))
    with django_assert_num_queries(0):
        filters.for_a_minute("reasons:default", lambda: filters.reasons_on("default"))
