"""The list of the send log."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext

from django_vt.admin import changelist, filters
from django_vt.models import Endpoint, SendLogEntry, functions
from tests.support import table_scans
from tests.support.people import CANARY, PIXEL, url
from tests.unit.admin.conftest import ago


def text(response) -> str:
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def listed(client, **filtered) -> list[int]:
    response = client.get(url("changelist"), filtered)
    assert response.status_code == 200
    return [entry.pk for entry in response.context["cl"].result_list]


def test_it_shows_what_became_of_an_entry(confidant, record):
    record(status="failed", reason="answered: 503", attempts=8)
    page = text(confidant.get(url("changelist")))
    for shown in ("100023", f"email:{CANARY}", "order", "8 attempts", "failed", "answer 503"):
        assert shown in page


def test_who_may_not_see_people_sees_them_masked(viewer, record):
    record(reference=CANARY, identity=f"pixel:{PIXEL}")
    record(reference="2")
    page = text(viewer.get(url("changelist")))
    assert "pixel:8139***" in page
    assert "email:c***@***" in page
    for part in ("canary", "example.com", PIXEL, PIXEL.split("_")[1]):
        assert part not in page


def test_the_newest_come_first(viewer, record):
    old, new = record("1", created_at=ago(days=2)), record("2", created_at=ago(days=1))
    assert listed(viewer) == [new.pk, old.pk]
    assert listed(viewer, o="1") == [old.pk, new.pk]


@pytest.mark.parametrize("column", [0, *range(2, 7)])
def test_only_the_time_can_be_ordered_by(column, viewer, record):
    record()
    response = viewer.get(url("changelist"), {"o": str(column)})
    assert response.context["cl"].queryset.query.order_by == ("-created_at", "-pk")


def test_each_filter_finds_its_own(viewer, record):
    failed = record("1", status="failed", reason="answered: 400", created_at=ago(hours=30))
    login = record("2", event_type="login", created_at=ago(days=20))
    record("3", created_at=ago(days=40))
    assert listed(viewer, status="failed") == [failed.pk]
    assert listed(viewer, type="login") == [login.pk]
    assert listed(viewer, recorded="24h") == []
    assert listed(viewer, recorded="7d") == [failed.pk]
    assert listed(viewer, recorded="30d") == [failed.pk, login.pk]
    assert listed(viewer, reason="answered: 400") == [failed.pk]
    assert listed(viewer, same=f"reference:{login.pk}") == [login.pk]


def test_a_type_that_is_asked_for_is_filtered_by_though_no_entry_has_it(viewer, record):
    record()
    assert listed(viewer, type="search") == []


@pytest.mark.parametrize("same", ["reference:99", "identity:99", "address:99"])
def test_nothing_is_like_an_entry_that_is_gone(same, viewer, record):
    record()
    assert listed(viewer, same=same) == []


@pytest.mark.parametrize("what", ["reference", "identity", "address"])
def test_having_nothing_in_common_is_not_common(what, viewer, record):
    bare = {"reference": "", "identity": "", "email_hash": ""}
    first = record(**bare)
    record(**bare)
    assert listed(viewer, same=f"{what}:{first.pk}") == []


@pytest.mark.parametrize("what", ["reference", "identity", "address"])
def test_what_is_the_same_is_paged_and_filtered_and_ordered_as_all_is(what, viewer, record, monkeypatch):
    """A page asks for no more entries by their ids than it shows: thousands take a database long to read."""
    monkeypatch.setattr(admin.site.get_model_admin(SendLogEntry), "list_per_page", 2)
    other = record("other", email="other@example.com")
    same = [record(status=status).pk for status in ("sent", "failed", "sent", "pending", "sent")]
    asked = f"{what}:{same[0]}"
    with CaptureQueriesContext(connection) as captured:
        assert [listed(viewer, same=asked, p=page) for page in "123"] == [same[:2:-1], same[2:0:-1], same[:1]]
    lists = [match[1].split(",") for query in captured if (match := re.search(r"id. IN \(([^)]*)\)", query["sql"]))]
    assert lists
    assert max(map(len, lists)) == 2
    assert listed(viewer, same=asked, status="sent") == [same[4], same[2]]
    assert listed(viewer, same=asked, o="1") == same[:2]
    assert listed(viewer, same=f"{what}:{other.pk}") == [other.pk]


def test_a_filter_that_links_lead_to_is_shown_while_in_force(viewer, record):
    entry = record(reason="answered: 400", status="failed")
    assert "The identity of entry" not in text(viewer.get(url("changelist")))
    page = text(viewer.get(url("changelist"), {"same": f"identity:{entry.pk}", "reason": "answered: 400"}))
    assert f"The identity of entry {entry.pk}" in page
    assert "By reason" in page


@pytest.mark.parametrize("same", [CANARY, "payload:1", "identity:x", "identity:1' OR 1=1"])
def test_a_condition_that_the_list_did_not_make_is_an_error(same, viewer, record):
    record()
    response = viewer.get(url("changelist"), {"same": same})
    assert (response.status_code, response.url) == (302, f"{url('changelist')}?e=1")


@pytest.mark.parametrize(
    "lookup",
    ["payload__icontains", "identity__startswith", "email_hash", "identity", "reference", "failed_attempts__reason"],
)
def test_what_is_masked_cannot_be_guessed_by_other_lookups(lookup, viewer, record):
    record()
    assert viewer.get(url("changelist"), {lookup: "e"}).status_code == 400


def test_types_are_found_by_steps_through_the_index(record, django_assert_num_queries):
    for event_type in ("login", "confirmation", "login", "addtocart"):
        record(event_type=event_type)
    with django_assert_num_queries(4):
        assert filters.types_on("default") == ["addtocart", "confirmation", "login"]


def test_no_more_types_are_looked_for_than_fit(record, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(filters, "MOST_TYPES", 2)
    for event_type in ("a", "b", "c"):
        record(event_type=event_type)
    with django_assert_num_queries(2):
        assert filters.types_on("default") == ["a", "b"]


def test_beyond_the_limit_the_count_says_more(viewer, record, monkeypatch):
    monkeypatch.setattr(functions, "LIMIT", 3)
    for number in range(3):
        record(str(number))
    assert "3 entries" in " ".join(text(viewer.get(url("changelist"))).split())
    record("4")
    assert "more than 3 entries" in " ".join(text(viewer.get(url("changelist"))).split())


def test_one_entry_is_one(viewer, record):
    record()
    assert "1 entry" in " ".join(text(viewer.get(url("changelist"))).split())


def test_pages_end_at_the_limit(viewer, record, monkeypatch):
    monkeypatch.setattr(functions, "LIMIT", 3)
    monkeypatch.setattr(admin.site._registry[SendLogEntry], "list_per_page", 2)
    monkeypatch.setattr(admin.site._registry[SendLogEntry], "list_max_show_all", 1)
    for number in range(5):
        record(str(number))
    assert len(listed(viewer, p="2")) == 1
    assert viewer.get(url("changelist"), {"p": "3"}).status_code == 302


def test_a_large_number_is_grouped(settings):
    assert changelist.in_words(10_001) == "more than 10,000"
    assert changelist.in_words(10_000) == "10,000"
    assert changelist.in_words(7) == "7"


def test_the_number_of_queries_does_not_grow_with_the_entries(viewer, record):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            listed(viewer)
        return len(captured)

    record(attempts=1, reason="answered: 503")
    queries()  # the figures are kept
    few = queries()
    for number in range(40):
        record(str(number), attempts=1, reason="answered: 503")
    # Session, user, two for permissions; the state of sending and the clock; what is due; the count, the page's ids,
    # the page.
    assert queries() == few == 11


def test_its_queries_neither_scan_nor_count_the_table(viewer, record):
    for number in range(5):
        record(str(number), status="failed", reason="answered: 400")
    entry = record("9")
    everything = [{}, {"status": "failed"}, {"type": "confirmation"}, {"recorded": "7d"}, {"o": "1"}]
    narrow = [{"status": "failed", "reason": "answered: 400", "recorded": "7d"}]
    narrow += [{"same": f"{what}:{entry.pk}"} for what in ("reference", "identity", "address")]
    for filtered in [*everything, *narrow]:
        with CaptureQueriesContext(connection) as captured:
            listed(viewer, **filtered)
        for query in captured.captured_queries:
            if "django_vt_" in query["sql"] and query["sql"].startswith("SELECT"):
                assert table_scans.scans(query["sql"]) == []


def test_a_held_endpoint_is_told(viewer, record):
    record()
    Endpoint.objects.hold()
    assert "waits: sending is held by staff" in text(viewer.get(url("changelist")))


@pytest.mark.parametrize("selected", [CANARY, "1e3", "-1", "9" * 19, "1,2", "٣"])
def test_selected_ids_are_numbers(selected, operator, record):
    record()
    form = {"action": "send_again", "_selected_action": selected, "index": "0"}
    assert operator.post(url("changelist"), form).status_code == 400
    assert not LogEntry.objects.exists()


def test_the_count_is_a_number_to_a_theme_that_counts_by_it(viewer, record):
    """Grappelli's pagination asks for a plural by it."""
    for number in range(3):
        record(str(number))
    count = viewer.get(url("changelist")).context["cl"].in_words.result_count
    assert (count, str(count)) == (3, "3")
    plural = "{% blocktranslate count counter=count %}one{% plural %}{{ counter }} results{% endblocktranslate %}"
    assert Template("{% load i18n %}" + plural).render(Context({"count": count})) == "3 results"
