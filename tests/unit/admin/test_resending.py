"""Sending again: asked first, queued only, and recorded in the history."""

from __future__ import annotations

import html
import socket

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_vt import dispatchers
from django_vt.backends import locmem
from django_vt.models import SendLogEntry, functions
from django_vt.models.functions import milliseconds
from django_vt.operations import resending
from tests.support.people import CANARY, url
from tests.unit.admin.conftest import PEOPLE, RESEND, VIEW, ago


@pytest.fixture
def wakes(monkeypatch, django_capture_on_commit_callbacks):
    """How often the dispatcher was woken after a commit."""
    woken: list[str] = []
    monkeypatch.setattr(dispatchers, "wake", woken.append)
    return woken


@pytest.fixture
def failed(record) -> SendLogEntry:
    return record(status="failed", reason="answered: 400", response_status=400, attempts=8)


def text(response) -> str:
    assert response.status_code == 200
    return " ".join(html.unescape(response.content.decode()).split())


def confirm(client, *entries):
    ids = ",".join(str(entry.pk) for entry in entries)
    return client.post(url("resend"), {"ids": ids, "confirmed": "yes"})


def said(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def statuses() -> dict[str, str]:
    return dict(SendLogEntry.objects.values_list("reference", "status"))


def test_the_button_of_an_entry_asks_first(operator, failed):
    page = text(operator.post(url("resend"), {"ids": failed.pk}))
    assert "1 entry will be queued and sent again; its attempts are counted anew." in page
    assert "order 100023" in page
    assert statuses() == {"100023": "failed"}
    assert not LogEntry.objects.exists()


def test_the_action_asks_first(operator, failed, record):
    other = record("2", status="failed", reason="tls")
    form = {"action": "send_again", "_selected_action": [failed.pk, other.pk], "index": "0"}
    page = text(operator.post(url("changelist"), form))
    assert "2 entries will be queued" in page
    assert f'name="ids" value="{failed.pk},{other.pk}"' in page
    assert set(statuses().values()) == {"failed"}


def test_the_action_can_take_all_that_a_filter_finds(operator, failed, record):
    record("2", status="sent")
    form = {"action": "send_again", "_selected_action": failed.pk, "index": "0", "select_across": "1"}
    page = text(operator.post(f"{url('changelist')}?status=failed", form))
    assert f'name="ids" value="{failed.pk}"' in page


def test_the_action_can_take_all_that_have_something_in_common(operator, failed, record):
    record("2", email="other@example.com")
    same = record("3", status="skipped", reason="expired")
    form = {"action": "send_again", "_selected_action": failed.pk, "index": "0", "select_across": "1"}
    page = text(operator.post(f"{url('changelist')}?same=identity:{failed.pk}", form))
    assert f'name="ids" value="{failed.pk},{same.pk}"' in page


def test_confirmed_it_is_pending_as_if_new(operator, failed):
    response = confirm(operator, failed)
    assert (response.status_code, response.url) == (302, url("change", failed.pk))
    failed.refresh_from_db()
    assert (failed.status, failed.attempts, failed.reason, failed.response_status) == ("pending", 0, "", None)
    assert failed.due_at is not None
    assert said(response) == ["1 entry is queued to be sent again."]


def test_the_dispatcher_is_woken_once_it_is_committed(operator, failed, wakes, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        confirm(operator, failed)
        assert wakes == []
    assert wakes == ["default"]


def test_it_is_in_the_history_of_who_did_it(operator, failed):
    confirm(operator, failed)
    line = LogEntry.objects.get()
    assert (line.object_id, line.action_flag, line.user.username) == (
        str(failed.pk),
        CHANGE,
        "-".join(["anna", VIEW, RESEND]),
    )
    assert line.get_change_message() == "Queued to be sent again."
    assert b"Queued to be sent again." in operator.get(url("history", failed.pk)).content


def test_the_history_holds_no_address(log_in, record):
    confirm(log_in(VIEW, RESEND, PEOPLE), record(CANARY, status="failed", reason="tls"))
    assert "canary" not in LogEntry.objects.get().object_repr


def test_who_may_not_see_people_confirms_them_masked(operator, record):
    page = text(operator.post(url("resend"), {"ids": record(CANARY, status="failed").pk}))
    assert "canary" not in page


def test_what_cannot_be_sent_is_left_and_counted(operator, failed, record):
    held = record("held", claim="token", due_at=ago(minutes=-1))
    emptied = record("emptied", status="sent", payload="", identity="", email_hash="")
    nobody = record("nobody", status="skipped", reason="nobody", identity="", email_hash="")
    sent = record("sent", status="sent")
    everything = (failed, held, emptied, nobody, sent)
    page = text(operator.post(url("resend"), {"ids": ",".join(str(entry.pk) for entry in everything)}))
    assert "2 entries will be queued" in page
    assert "1 of them has arrived before" in page
    assert "1 is left out: it is being sent right now" in page
    assert "1 is left out: there is no event in it" in page
    assert "1 is left out: there is nobody to attribute it to" in page

    response = confirm(operator, *everything)

    assert response.url == url("changelist")
    assert said(response) == ["2 entries are queued to be sent again.", "3 entries were left as they were."]
    assert statuses() == {
        "100023": "pending",
        "held": "pending",
        "emptied": "sent",
        "nobody": "skipped",
        "sent": "pending",
    }
    held.refresh_from_db()
    assert held.claim == "token"
    assert sorted(LogEntry.objects.values_list("object_id", flat=True)) == sorted([str(failed.pk), str(sent.pk)])


def test_what_a_worker_takes_meanwhile_is_left_and_not_in_the_history(operator, failed, monkeypatch):
    survey = resending.survey

    def survey_and_lose_it(ids, using, account_id):
        chosen = survey(ids, using, account_id)
        SendLogEntry.objects.update(status="pending", claim="token", due_at=milliseconds(ago(minutes=-1)))
        return chosen

    monkeypatch.setattr(resending, "survey", survey_and_lose_it)
    response = confirm(operator, failed)
    assert said(response) == ["1 entry was left as it was."]
    assert not LogEntry.objects.exists()


def test_nothing_to_send_is_nothing_to_confirm(operator, record):
    page = text(operator.post(url("resend"), {"ids": record(status="skipped", payload="").pk}))
    assert "None of these entries can be sent again." in page
    assert "Yes, send again" not in page


def test_many_are_listed_in_part(operator, record):
    ids = ",".join(str(record(str(number), status="failed").pk) for number in range(12))
    page = text(operator.post(url("resend"), {"ids": ids}))
    assert "and 2 more" in page
    assert page.count("(failed)") == 10


def test_a_held_endpoint_is_said(operator, failed):
    operator.post(url("hold"), {"held": "yes", "confirmed": "yes"})
    assert "Sending is held" in text(operator.post(url("resend"), {"ids": failed.pk}))


def test_many_are_queued_in_parts(operator, record, monkeypatch):
    monkeypatch.setattr(resending, "SENT_AT_ONCE", 2)
    entries = [record(str(number), status="failed") for number in range(5)]
    response = confirm(operator, *entries)
    assert said(response) == ["5 entries are queued to be sent again."]
    assert LogEntry.objects.count() == 5


@pytest.mark.parametrize(
    "ids", ["", CANARY, "1;2", "1,", "-1", "1.5", "٣", "9" * 19, ",".join(map(str, range(10_001)))]
)
def test_ids_that_are_no_ids_are_refused(ids, operator, failed):
    response = operator.post(url("resend"), {"ids": ids, "confirmed": "yes"})
    assert response.status_code == 400
    assert statuses() == {"100023": "failed"}


def test_an_entry_that_is_gone_is_left(operator, failed):
    response = operator.post(url("resend"), {"ids": f"{failed.pk},999", "confirmed": "yes"})
    assert said(response) == ["1 entry is queued to be sent again.", "1 entry was left as it was."]


def test_all_that_failed_for_a_reason_are_sent_again_in_one_confirmed_step(operator, failed, record):
    record("2", status="failed", reason="answered: 400", created_at=ago(hours=30))
    record("3", status="failed", reason="tls")
    record("4", status="pending", reason="answered: 400")
    form = {"reason": "answered: 400", "recorded": "24h"}
    assert f'name="ids" value="{failed.pk}"' in text(operator.post(url("resend"), form))
    response = operator.post(url("resend"), {**form, "recorded": "7d", "confirmed": "yes"})
    assert said(response) == ["2 entries are queued to be sent again."]
    assert statuses() == {"100023": "pending", "2": "pending", "3": "failed", "4": "pending"}


def test_a_reason_that_none_has_failed_for_leaves_nothing_to_confirm(operator, failed):
    page = text(operator.post(url("resend"), {"reason": "tls", "recorded": "24h"}))
    assert "None of these entries can be sent again." in page


@pytest.mark.parametrize(
    "form", [{"reason": "x", "recorded": "24h"}, {"reason": "tls"}, {"reason": "tls", "recorded": "1y"}]
)
def test_a_reason_or_period_that_there_is_not_is_refused(form, operator, failed):
    assert operator.post(url("resend"), form).status_code == 400


def test_more_than_one_step_takes_is_said(operator, record, monkeypatch):
    monkeypatch.setattr(functions, "LIMIT", 1)
    record("1", status="failed", reason="tls")
    record("2", status="failed", reason="tls")
    page = text(operator.post(url("resend"), {"reason": "tls", "recorded": "24h"}))
    assert "1 entry will be queued" in page
    assert "Only so many are sent again in one step" in page


def test_no_page_and_no_button_opens_a_connection(operator, failed, monkeypatch, settings):
    settings.DJANGO_VT = {
        "ACCOUNT_ID": "acc123",
        "BACKEND": "django_vt.backends.http.HttpBackend",
        **settings.DJANGO_VT,
    }

    def refuse(*args, **kwargs):
        raise AssertionError("the admin opened a connection")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for name, form in {"resend": {"ids": failed.pk}, "hold": {"held": "yes"}, "search": {"text": CANARY}}.items():
        operator.post(url(name), form)
        operator.post(url(name), {**form, "confirmed": "yes"})
    for page in (url("changelist"), url("change", failed.pk), url("history", failed.pk)):
        assert operator.get(page).status_code == 200
    assert locmem.outbox == []


def test_the_number_of_queries_does_not_grow_with_the_entries(operator, record):
    def queries(*entries) -> int:
        with CaptureQueriesContext(connection) as captured:
            confirm(operator, *entries)
        return len(captured)

    entries = [record(str(number), status="failed") for number in range(50)]
    queries(*entries[:2])  # content types are kept
    assert queries(*entries[2:4]) == queries(*entries[4:])
