"""What a list shows as a CSV file: whole, masked as the viewer is, harmless to open, and recorded."""

from __future__ import annotations

import csv
import io

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone, translation

from django_vt.admin import export
from django_vt.models import SendLogEntry, functions
from tests.support.people import CANARY, url
from tests.unit.admin.conftest import ago


def download(client, ids=None, **query):
    form = {"action": "export", "_selected_action": ids or ["0"], "index": "0"}
    form |= {} if ids else {"select_across": "1"}
    return client.post(url("changelist"), form, query_params=query)


def rows(response):
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def references(response):
    return [row["reference"] for row in rows(response)]


def test_a_row_says_what_the_list_says_and_when_it_was_sent(confidant, record, clock):
    record("100023", status="sent", created_at=clock.now, sent_at=clock.now)
    response = download(confidant)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="send-log-2026-11-23.csv"'
    [row] = rows(response)
    del row["number"]
    assert row == {
        "recorded at": "11/23/2026 14:00:00",
        "status": "sent",
        "account": "acc123",
        "event": "order",
        "reference": "100023",
        "identity": f"email:{CANARY}",
        "why": "",
        "last answer": "200",
        "attempts": "0",
        "sent at": "11/23/2026 14:00:00",
    }


def test_it_is_masked_as_the_viewer_is(viewer, record):
    record(CANARY)
    response = download(viewer)
    text = b"".join(response.streaming_content).decode()
    assert "canary" not in text
    assert "c***@***" in text


def test_it_holds_what_the_filters_show_in_the_order_of_the_list(viewer, record):
    for number in range(4):
        record(str(number), status="failed", reason="tls", created_at=ago(hours=number), response_status=503)
    record("9", status="sent")
    assert references(download(viewer, status="failed")) == ["0", "1", "2", "3"]
    assert references(download(viewer, reason="tls", answer="503")) == ["0", "1", "2", "3"]
    entry = SendLogEntry.objects.get(reference="2")
    assert references(download(viewer, same=f"reference:{entry.pk}")) == ["2"]


def test_ticked_entries_are_a_file_too(viewer, record):
    record("1")
    entry = record("2")
    assert references(download(viewer, [entry.pk])) == ["2"]


@pytest.mark.parametrize("entries", [0, 3, 6, 7])
@pytest.mark.parametrize("filtered", [{}, {"answer": "none"}])
def test_however_many_they_are_each_is_there_once(viewer, record, monkeypatch, entries, filtered):
    """Parts of three; all recorded at one moment."""
    monkeypatch.setattr(export, "AT_ONCE", 3)
    at = ago(hours=1)
    for number in range(entries):
        record(str(number), created_at=at)
    assert references(download(viewer, **filtered)) == [str(number) for number in reversed(range(entries))]


def test_no_more_than_a_part_is_read_before_it_is_sent(viewer, record, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(export, "AT_ONCE", 2)
    for number in range(9):
        record(str(number))
    content = iter(download(viewer).streaming_content)
    next(content)
    with django_assert_max_num_queries(1):
        next(content)


def test_of_one_who_has_thousands_it_holds_as_many_as_the_list(viewer, record, monkeypatch):
    monkeypatch.setattr(functions, "LIMIT", 3)
    for number in range(5):
        record(str(number))
    newest = SendLogEntry.objects.latest("pk").pk
    assert references(download(viewer, same=f"identity:{newest}")) == ["4", "3", "2"]


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t=", " =", "\uff1d", "\uff0b", "\uff20", "|", "%"])
def test_no_program_takes_a_cell_for_a_formula(confidant, record, beginning):
    record(f"{beginning}1+1")
    assert references(download(confidant)) == [f"'{beginning}1+1"]


def test_that_it_was_taken_is_in_the_history_with_the_filters_and_no_address(viewer, record):
    record(CANARY, status="failed", reason="tls")
    rows(download(viewer, status="failed", type=CANARY))
    [line] = LogEntry.objects.all()
    assert line.object_repr == "Send log, downloaded as CSV, status=failed, type"


def test_an_error_in_the_middle_leaves_the_file_without_what_was_read(viewer, record, monkeypatch):
    record("1")

    def fail(_reason):
        address = CANARY
        raise RuntimeError(address[:0])

    monkeypatch.setattr(export, "plainly", fail)
    with pytest.raises(RuntimeError) as caught:
        rows(download(viewer))
    frames = []
    traceback = caught.value.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__name__", "").startswith("django_vt"):
            frames.append(repr(traceback.tb_frame.f_locals))
        traceback = traceback.tb_next
    assert frames
    assert not [frame for frame in frames if "canary" in frame]


def test_it_is_in_the_reader_s_language_and_time_also_when_the_request_is_over(viewer, record, settings, clock):
    settings.LANGUAGE_CODE, settings.TIME_ZONE = "ro", "Europe/Bucharest"
    record("1", created_at=clock.now)
    response = download(viewer)
    with translation.override("en"), timezone.override("UTC"):
        [row] = rows(response)
    assert row["stare"] == "în așteptare"
    assert row["înregistrată la"] == "23.11.2026 14:00:00"


def test_the_list_offers_it_for_all_that_is_shown(viewer, record):
    record("1")
    page = viewer.get(url("changelist"), {"status": "pending"}).content.decode()
    assert 'value="Download all that are shown as CSV (1)"' in page
    assert '<form method="post" action="?status=pending">' in page
