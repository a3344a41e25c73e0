"""Who may do what in the send log's admin, and what is offered to them; test_every_url.py has the strangers."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client

from django_vt.models import Endpoint, SendAttempt, SendLogEntry
from tests.support.people import CANARY, url

FORMS: dict[str, dict[str, str]] = {
    "changelist": {"action": "send_again", "_selected_action": "1", "index": "0"},
    "add": {"reference": "1"},
    "change": {"reference": "1"},
    "delete": {"post": "yes"},
    "search": {"text": CANARY},
    "resend": {"ids": "1", "confirmed": "yes"},
    "hold": {"held": "yes", "confirmed": "yes"},
}


def page(name: str, entry: SendLogEntry) -> str:
    return url(name, entry.pk) if name in {"change", "delete"} else url(name)


def forms(name: str, entry: SendLogEntry) -> dict[str, str]:
    return {key: str(entry.pk) if value == "1" else value for key, value in FORMS[name].items()}


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ["resend", "hold"])
def test_who_may_only_look_cannot_act(method, name, viewer, record):
    entry = record(status="failed", reason="answered: 400")
    response = getattr(viewer, method)(url(name), forms(name, entry))
    entry.refresh_from_db()
    assert (response.status_code, entry.status) == (403, "failed")
    assert not LogEntry.objects.exists()
    assert not Endpoint.objects.exists()


def test_who_may_not_look_cannot_search(log_in, record):
    record()
    assert log_in("resend_sendlogentry").post(url("search"), FORMS["search"]).status_code == 403


def test_who_may_only_look_is_offered_no_sending(viewer, record):
    entry = record(status="failed", reason="answered: 400")
    pages = viewer.get(url("changelist")).content + viewer.get(url("change", entry.pk)).content
    for offer in (url("resend"), url("hold"), "send_again"):
        assert offer not in pages.decode()
    response = viewer.post(url("changelist"), {**forms("changelist", entry)})
    assert b"Send again?" not in response.content


def test_who_may_resend_is_offered_it(operator, record):
    entry = record(status="failed", reason="answered: 400")
    listed = operator.get(url("changelist")).content.decode()
    assert url("resend") in listed
    assert url("hold") in listed
    assert "send_again" in listed
    assert url("resend") in operator.get(url("change", entry.pk)).content.decode()


@pytest.mark.parametrize("nothing", ["payload", "identity"])
def test_where_there_is_nothing_to_send_it_is_not_offered(nothing, operator, record):
    entry = record(status="skipped", reason="forgotten", **{nothing: ""})
    assert url("resend") not in operator.get(url("change", entry.pk)).content.decode()


@pytest.mark.parametrize("name", ["search", "resend", "hold"])
def test_own_views_act_on_post_alone(name, operator, record):
    entry = record(status="failed", reason="answered: 400")
    for method in ("get", "head", "put", "delete"):
        response = getattr(operator, method)(url(name))
        assert (response.status_code, response.url) == (302, url("changelist"))
    assert operator.get(url(name), forms(name, entry)).url == url("changelist")
    entry.refresh_from_db()
    assert entry.status == "failed"
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("name", ["search", "resend", "hold"])
def test_own_views_want_the_csrf_token(name, operator, record):
    entry = record(status="failed", reason="answered: 400")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies
    assert strict.post(url(name), forms(name, entry)).status_code == 403
    entry.refresh_from_db()
    assert entry.status == "failed"


@pytest.mark.parametrize("name", ["add", "change", "delete"])
@pytest.mark.parametrize("who", ["operator", "superuser"])
def test_nobody_adds_changes_or_deletes(who, name, request, admin_client, record):
    client: Any = admin_client if who == "superuser" else request.getfixturevalue("operator")
    entry = record()
    assert client.post(page(name, entry), {**forms(name, entry), "_save": "1"}).status_code == 403
    assert SendLogEntry.objects.get().reference == entry.reference


def test_other_tables_have_no_page(admin_client):
    assert {SendLogEntry, SendAttempt, Endpoint} & set(admin.site._registry) == {SendLogEntry}
