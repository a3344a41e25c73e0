from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import ProgrammingError, connection, connections, transaction
from django.urls import reverse

from django_vt.models import SendAttempt
from django_vt.operations import figures
from tests.support.people import url
from tests.unit.admin.conftest import RESEND, VIEW, ago

INDEX = "admin:index"


def told(client, page=INDEX):
    """The line on the first page, without its link; nothing where there is none."""
    written = html.unescape(client.get(reverse(page)).content.decode())
    found = re.findall(r"(Vibetrace: [^<]*(?:failed|eșuat)[^<]*)<a href=\"([^\"]*)\">", written)
    assert len(found) <= 1
    return found[0][0].strip() if found else None


def test_who_has_not_looked_is_told_what_has_failed_in_the_last_day(viewer, record):
    assert told(viewer) is None
    record("1", status="failed")
    record("2", status="failed", created_at=ago(days=2))
    record("3", status="sent")
    assert told(viewer) == "Vibetrace: 1 event has failed in the last 24 hours."


def test_the_line_leads_to_those_that_failed(viewer, record):
    record("1", status="failed")
    record("2", status="sent")
    page = html.unescape(viewer.get(reverse(INDEX)).content.decode())
    [link] = re.findall(r"24 hours\. <a href=\"([^\"#]+)#changelist\">See them</a>", page)
    assert [entry.reference for entry in viewer.get(link).context["cl"].result_list] == ["1"]


def test_what_has_been_seen_is_not_told_again(viewer, record, clock):
    record("1", status="failed", created_at=clock.now)
    clock.advance(60)
    assert told(viewer) == "Vibetrace: 1 event has failed in the last 24 hours."
    viewer.get(url("changelist"))
    assert told(viewer) is None
    clock.advance(3600)
    for number in range(2):
        record(f"later {number}", status="failed", created_at=clock.now)
    assert told(viewer) == "Vibetrace: 2 events have failed since you last looked."


def test_it_counts_when_an_event_failed_and_not_when_it_was_recorded(viewer, record, clock):
    entry = record("1", status="failed", created_at=clock.now - timedelta(days=3))
    viewer.get(url("changelist"))
    clock.advance(3600)
    assert told(viewer) is None
    SendAttempt.objects.create(entry=entry, at=clock.now - timedelta(days=2), reason="answered: 503")
    assert told(viewer) is None
    SendAttempt.objects.create(entry=entry, at=clock.now, reason="answered: 400")
    assert told(viewer) == "Vibetrace: 1 event has failed since you last looked."


def test_of_very_many_it_says_so(viewer, record, monkeypatch):
    monkeypatch.setattr(figures, "NEWEST_FAILED", 2)
    monkeypatch.setattr("django_vt.admin.unseen.NEWEST_FAILED", 2)
    for number in range(3):
        record(str(number), status="failed")
    assert told(viewer) == "Vibetrace: 2+ events have failed in the last 24 hours."


def test_the_first_page_opens_though_the_log_cannot_be_read(viewer, record, caplog):
    record("1", status="failed")

    def refuse(execute, sql, *arguments):
        if "django_vt_" in sql:
            raise ProgrammingError("canary")
        return execute(sql, *arguments)

    with connection.execute_wrapper(refuse):
        assert told(viewer) is None
    assert [line.getMessage() for line in caplog.records if line.name.startswith("django_vt")] == [
        "What has failed lately could not be counted: ProgrammingError"
    ]


def test_a_statement_that_fails_there_breaks_no_transaction_of_the_request(viewer, record, monkeypatch):
    def fail(using, _since):
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT * FROM there_is_none")

    monkeypatch.setattr("django_vt.admin.unseen.failed_since", fail)
    with transaction.atomic():  # as with ATOMIC_REQUESTS
        assert told(viewer) is None
        assert record("1", status="failed").pk


@pytest.mark.parametrize("codenames", [(), (RESEND,)])
def test_who_may_not_see_the_log_is_told_nothing(log_in, record, codenames):
    record("1", status="failed")
    assert told(log_in(*codenames)) is None


def test_other_pages_say_nothing(viewer, record):
    record("1", status="failed")
    assert "has failed" not in viewer.get(reverse("admin:app_list", args=["django_vt"])).content.decode()
    assert viewer.head(reverse(INDEX)).status_code == 200
    assert told(viewer) is not None  # and nothing was left over from these


@pytest.mark.parametrize("stored", ["yesterday", None, [], -1, True])
def test_a_session_that_holds_something_else_is_borne(viewer, record, stored):
    record("1", status="failed")
    session = viewer.session
    session["django_vt_looked_at"] = stored
    session.save()
    assert told(viewer) is not None
    assert viewer.get(url("changelist")).status_code == 200
    assert isinstance(viewer.session["django_vt_looked_at"], int)


def test_a_list_that_is_looked_at_often_stores_it_once_a_minute(viewer, clock, monkeypatch):
    saved = []
    save = SessionStore.save
    monkeypatch.setattr(SessionStore, "save", lambda self, **given: (saved.append(1), save(self, **given)))
    for _time in range(3):
        viewer.get(url("changelist"))
    assert len(saved) == 1
    clock.advance(60)
    viewer.get(url("changelist"))
    assert len(saved) == 2


def test_it_works_without_time_zones(log_in, record, settings):
    settings.USE_TZ = False
    viewer = log_in(VIEW)
    record("1", status="failed", created_at=ago(minutes=5))
    assert told(viewer) == "Vibetrace: 1 event has failed in the last 24 hours."
    viewer.get(url("changelist"))
    assert told(viewer) is None
