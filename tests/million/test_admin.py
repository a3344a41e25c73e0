"""The admin's pages: how many queries each makes, and how little of the log they read."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from benchmarks import grown_log
from django_vt.models import SendLogEntry
from tests.million.conftest import ENTRIES, first
from tests.million.plans import Recorded, explained
from tests.support.people import url

pytestmark = pytest.mark.million

LIMIT = 10_000
WAITING = 200
# Session and user; the state of sending and the time of the database; what is due, and what has waited longest;
# the count, the page's ids, the page.
LIST = 9
# The event types: one step each, and one that finds no more.
TYPES = 6
# Counts by status and hour, the newest failures, their reasons; the accounts there are, the last look for orders that
# nobody signalled; the newest that failed and that were skipped, their reasons; counts by type.
FIGURES = 10
# Once a minute the session is told that somebody looks.
LOOKED = 1

STATUSES = [None, "pending", "sent", "failed", "skipped"]
EVENT_TYPES = [None, "confirmation", "login", grown_log.OLD_TYPE, "nothing"]
PERIODS = [None, "24h", "7d", "30d"]
REASONS = [grown_log.COMMON_REASON, grown_log.RARE_REASON, "nobody", "broken connection"]
PEOPLE = {
    "a shopper": {"reference": "600000"},
    "a till": {"identity": f"email:{grown_log.TILL}", "event_type": "confirmation"},
    "a wish": {"reference": grown_log.TILL_REFERENCE},
    "an old till": {"identity": f"email:{grown_log.OLD_TILL}"},
    "an old pixel": {"identity": f"pixel:{grown_log.OLD_PIXEL}"},
    "an import": {"event_type": grown_log.OLD_TYPE},
}


@pytest.fixture
def look(staff: Client) -> Callable[..., Recorded]:
    """Open the list, once the figures and types that are kept for a minute are there."""

    def look(**filtered: str | None) -> Recorded:
        wanted = {name: value for name, value in filtered.items() if value is not None}
        staff.get(url("changelist"), {name: wanted[name] for name in {"recorded", "type"} & wanted.keys()})
        with explained() as recorded:
            assert staff.get(url("changelist"), wanted).status_code == 200
        return recorded

    return look


def assert_few_are_read(recorded: Recorded, *, most: int = LIMIT + 1) -> None:
    assert recorded.queries
    for query in recorded.queries:
        assert query.scans, query
        assert all("Index" in scan.kind or scan.kind == "Bitmap Heap Scan" for scan in query.scans), query
        assert query.read <= most, query


def test_the_log_is_what_it_is_meant_to_be():
    assert SendLogEntry.objects.count() == ENTRIES
    found = set(SendLogEntry.objects.values_list("event_type", "status").distinct())
    assert ("confirmation", "skipped") not in found
    assert (grown_log.OLD_TYPE, "sent") not in found
    assert SendLogEntry.objects.filter(status="failed").count() == ENTRIES // 1000


@pytest.mark.parametrize("period", PERIODS)
def test_the_dashboard(period, staff):
    with explained() as recorded:
        assert staff.get(url("changelist"), {"recorded": period} if period else {}).status_code == 200
    assert recorded.made <= LIST + TYPES + FIGURES + LOOKED
    assert_few_are_read(recorded)


@pytest.mark.parametrize("event_type", EVENT_TYPES[1:])
def test_the_dashboard_of_a_type(event_type, staff):
    staff.get(url("changelist"))
    with explained() as recorded:
        assert staff.get(url("changelist"), {"type": event_type, "recorded": "30d"}).status_code == 200
    assert recorded.made <= LIST + FIGURES
    assert_few_are_read(recorded)


def test_what_has_failed_since_somebody_last_looked(staff):
    staff.get(url("changelist"))
    with explained() as recorded:
        assert staff.get(reverse("admin:index")).status_code == 200
    assert_few_are_read(recorded)


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("status", STATUSES)
def test_every_filter_with_every_other(status, period, look):
    for event_type in EVENT_TYPES:
        recorded = look(status=status, type=event_type, recorded=period)
        assert recorded.made <= LIST
        assert_few_are_read(recorded)


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_with_every_other_filter(reason, look):
    for status, event_type, period in itertools.product([None, "failed", "skipped"], [None, "login"], [None, "30d"]):
        recorded = look(reason=reason, status=status, type=event_type, recorded=period)
        # One more: the newest that failed.
        assert recorded.made <= LIST + 1
        assert_few_are_read(recorded)


@pytest.mark.parametrize("answer", ["2xx", "4xx", "503", "none"])
@pytest.mark.parametrize("status", [None, "sent", "failed"])
def test_an_answer_is_looked_for_among_the_newest(status, answer, look):
    recorded = look(answer=answer, status=status)
    # Two more: the newest, and their answers.
    assert recorded.made <= LIST + 2
    assert_few_are_read(recorded)


@pytest.mark.parametrize("further", [{}, {"status": "failed"}, {"type": "login"}, {"reason": grown_log.COMMON_REASON}])
@pytest.mark.parametrize("days", [{"since": "2020-01-01"}, {"until": "2020-01-01"}, "in the middle"])
def test_the_entries_of_some_days(days, further, look):
    if days == "in the middle":
        day = SendLogEntry.objects.get(pk=first(reference="600000")).created_at.date().isoformat()
        days = {"since": day, "until": day}
    recorded = look(**days, **further)
    assert recorded.made <= LIST + 1
    assert_few_are_read(recorded)


@pytest.mark.parametrize(
    "filtered",
    [
        {},
        {"status": "sent"},
        {"type": "login"},
        {"status": "failed", "answer": "4xx"},
        {"since": "2020-01-01"},
        "a till",
    ],
)
def test_a_download_of_all_that_is_shown_is_read_part_by_part(filtered, staff):
    form = {"action": "export", "_selected_action": "0", "index": "0", "select_across": "1"}
    if filtered == "a till":
        filtered = {"same": f"identity:{first(**PEOPLE['a till'])}"}
    with explained() as recorded:
        content = iter(staff.post(url("changelist"), form, query_params=filtered).streaming_content)
        parts = [next(content, b"") for _part in range(4)]
    assert all(parts[:2])
    assert_few_are_read(recorded)


@pytest.mark.parametrize("address", [grown_log.OLD_TILL, "nobody@example.com"])
def test_what_is_held_of_a_person_is_found_by_index(address, staff):
    with explained() as recorded:
        page = staff.post(url("person"), {"way": "address", "text": address})
    assert "too long for this page to search the texts" in page.content.decode()
    assert_few_are_read(recorded, most=ENTRIES // 10)


@pytest.mark.parametrize("page", ["2", "200"])
@pytest.mark.parametrize("filtered", [{}, {"status": "sent"}, {"type": "login"}, {"status": "sent", "type": "login"}])
@pytest.mark.parametrize("order", [None, "1"])
def test_the_next_page_and_the_last_from_either_end(order, filtered, page, look):
    recorded = look(**filtered, p=page, o=order)
    assert recorded.made == LIST
    assert_few_are_read(recorded)


@pytest.mark.parametrize(
    "typed",
    [
        "600000",
        grown_log.TILL_REFERENCE,
        grown_log.OLD_REFERENCE,
        grown_log.TILL,
        grown_log.OLD_TILL,
        f"pixel:{grown_log.OLD_PIXEL}",
        grown_log.OLD_PIXEL,
        "nobody@example.com",
        "nothing",
    ],
)
def test_a_search_by_order_address_or_identity_finds_by_one_step_through_an_index(typed, staff):
    with explained() as recorded:
        response = staff.post(url("search"), {"text": typed})
    assert response.status_code == 302
    if typed == "600000":
        assert response.url == url("change", first(reference=typed))
    else:
        assert ("same=" in response.url) == (typed not in {"nobody@example.com", "nothing"})
    # Session and user; an order, an identity by pixel and by vtsid, an address; a session for the message. Where it is
    # found, the entry and those that have the same, by identity and by address; otherwise those that begin so.
    assert recorded.made <= 10
    assert_few_are_read(recorded)


@pytest.mark.parametrize("typed", ["6000", "60000", "til", "impor", "9999"])
def test_what_begins_so_is_found_by_a_few_steps_through_an_index(typed, staff):
    with explained() as recorded:
        staff.post(url("search"), {"text": typed})
    # As for any search, and once more for the one that begins so.
    assert recorded.made <= 12
    assert_few_are_read(recorded)


@pytest.mark.parametrize("what", ["reference", "identity", "address"])
@pytest.mark.parametrize("who", PEOPLE)
def test_the_entries_of_one_however_many_and_however_old(who, what, look):
    pk = first(**PEOPLE[who])
    for status in (None, "failed", "sent"):
        recorded = look(same=f"{what}:{pk}", status=status)
        # Three more: the entry, and the ids of those with its identity and with its address.
        assert recorded.made <= LIST + 3
        assert_few_are_read(recorded)


@pytest.mark.parametrize("who", PEOPLE)
def test_the_page_of_an_entry(who, staff):
    pk = first(**PEOPLE[who])
    with explained() as recorded:
        assert staff.get(url("change", pk)).status_code == 200
    # Session and user; the entry, the state of sending, the time, its attempts, up to five for its neighbours; the
    # accounts there are, which those that wait tell.
    assert recorded.made <= 14
    assert_few_are_read(recorded, most=WAITING)


def test_selecting_a_page_to_be_sent_again(staff):
    ids = list(SendLogEntry.objects.order_by("-pk").values_list("pk", flat=True)[:50])
    with explained() as recorded:
        form = {"action": "send_again", "_selected_action": ids, "index": "0"}
        assert staff.post(url("changelist"), form).status_code == 200
    assert_few_are_read(recorded)


@pytest.mark.parametrize("filtered", [{}, {"status": "failed"}, {"status": "skipped", "type": "login"}])
def test_selecting_all_that_are_found_to_be_sent_again(filtered, staff):
    with explained() as recorded:
        form = {"action": "send_again", "_selected_action": ENTRIES, "index": "0", "select_across": "1"}
        assert staff.post(url("changelist"), form, query_params=filtered).status_code == 200
    # Twelve parts of the ten thousand at most, each looked at once; the time, the first ones, the state of sending.
    assert recorded.made <= LIST + TYPES + 12 + 8
    assert_few_are_read(recorded)


@pytest.mark.parametrize("confirmed", ["", "yes"])
@pytest.mark.parametrize("period", ["24h", "7d", "30d"])
@pytest.mark.parametrize("reason", REASONS)
def test_sending_again_all_that_failed_for_a_reason(reason, period, confirmed, staff):
    with explained() as recorded:
        form = {"reason": reason, "recorded": period, "confirmed": confirmed}
        assert staff.post(url("resend"), form).status_code in {200, 302}
    assert recorded.made <= 20
    assert_few_are_read(recorded)
