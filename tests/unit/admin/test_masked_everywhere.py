"""No page of the send log, reached in whatever way, tells staff without the permission whose events it holds."""

from __future__ import annotations

import html

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from django_vt.models import SendAttempt, SendLogEntry
from tests.support.people import CANARY, url
from tests.unit.admin.conftest import PEOPLE, RESEND, VIEW

pytestmark = [pytest.mark.any_database, pytest.mark.newest]

USER, SESSION, VTSID = "8139618027113397", "253412802711339765", "canary-visitor-7"
TRACES = ["canary", "bird", "example.com", USER, USER[:8], SESSION, SESSION[:8]]


@pytest.fixture
def entries(record):
    """A person's entries, by every way and with the address wherever a shop can put one."""
    ids = f'"userId":"{USER}","sessionId":"{SESSION}"'
    entries = [
        record("1", status="failed", reason="answered: 400", attempts=2),
        record(
            CANARY,
            identity=f"pixel:{USER}_{SESSION}",
            payload=f'{{{ids},"type":"wishlist","note":"by {USER} for {CANARY}","{CANARY}":1,"visitor":"{SESSION}"}}',
            event_type="wishlist",
        ),
        record(
            "3", identity=f"vtsid:{VTSID}", payload=f'{{"_vtsid":"{VTSID}","type":"cart","by":"{VTSID}"}}', email=""
        ),
        record("3", status="sent"),
    ]
    SendAttempt.objects.create(entry=entries[0], at=timezone.now(), response_status=400, reason="answered: 400")
    return entries


def listings(entries):
    """Queries of the list: all filters, and the ways that a search leads to."""
    yield from ({}, {"status": "failed"}, {"reason": "answered: 400"}, {"recorded": "24h"}, {"type": "wishlist"})
    yield from ({"same": f"{what}:{entry.pk}"} for entry in entries for what in ("reference", "identity", "address"))


def walk(client, entries):
    """Every page of the send log and of the admin around it, as (name, response)."""
    ids = ",".join(str(entry.pk) for entry in entries)
    for query in listings(entries):
        yield "changelist", client.get(url("changelist"), query)
    for text in (CANARY, f"{USER}_{SESSION}", VTSID, "3", f"no.{CANARY}"):
        yield "search", client.post(url("search"), {"text": text}, follow=True)
    for entry in entries:
        yield "change", client.get(url("change", entry.pk))
    action = {"action": "send_again", "_selected_action": [entry.pk for entry in entries], "index": "0"}
    yield "changelist", client.post(url("changelist"), action)
    yield "resend", client.post(url("resend"), {"ids": ids})
    yield "resend", client.post(url("resend"), {"reason": "answered: 400", "recorded": "24h"})
    yield "resend", client.post(url("resend"), {"ids": ids, "confirmed": "yes"}, follow=True)
    yield "unreported", client.get(url("unreported"))
    for act in ("", "export", "forget"):
        yield "person", client.post(url("person"), {"way": "address", "text": CANARY, "typed": CANARY, "act": act})
    yield "skip", client.post(url("skip"), {"ids": ids})
    yield "hold", client.post(url("hold"), {"held": "yes"})
    yield "hold", client.post(url("hold"), {"held": "yes", "confirmed": "yes"}, follow=True)
    for entry in entries:
        yield "history", client.get(url("history", entry.pk))
        yield "delete", client.get(url("delete", entry.pk))
    yield "add", client.get(url("add"))
    yield "index", client.get(reverse("admin:index"))
    yield "index", client.get(reverse("admin:app_list", args=["django_vt"]))


def told(response):
    """All that an answer tells: its text, and the addresses that it leads through."""
    chain = [address for address, _status in getattr(response, "redirect_chain", [])]
    return html.unescape(response.content.decode()).lower() + " ".join([*chain, str(response.headers)])


def traces_in(response):
    return [trace for trace in TRACES if trace in told(response)]


def test_no_page_tells_whose_it_is(log_in, entries):
    for name, response in walk(log_in(VIEW, RESEND), entries):
        assert (name, response.status_code, traces_in(response)) == (name, response.status_code, [])
        assert response.status_code == (403 if name in {"add", "delete", "person"} else 200)


def test_who_may_see_people_sees_them_on_the_pages_where_they_stand(log_in, entries):
    """Else the search above could find nothing, whatever stood there."""
    seen = {name: traces_in(response) for name, response in walk(log_in(VIEW, RESEND, PEOPLE), entries)}
    assert {name for name, traces in seen.items() if "canary" in traces} >= {"changelist", "change", "resend"}


def test_no_page_is_left_out(log_in, entries):
    patterns = admin.site._registry[SendLogEntry].urls
    names = {str(pattern.name).rpartition("_")[2] for pattern in patterns if pattern.name}
    assert names <= {name for name, _response in walk(log_in(VIEW, RESEND), entries)}


def test_an_emptied_entry_says_why_there_is_nothing_in_it(viewer, record):
    old, forgotten = record("1", status="sent"), record("2", status="sent")
    pending = record("3")
    invalid = record("4", status="skipped", payload="", reason="invalid: total", identity="", email_hash="")
    SendLogEntry.objects.empty([old.pk])
    SendLogEntry.objects.filter(pk__in=[forgotten.pk, pending.pk]).forget()
    by_words = {
        "Emptied some time after it was sent, as the shop's settings say": [old],
        "Emptied, as the person asked for": [forgotten, pending],
    }
    for entry in (old, forgotten, pending, invalid):
        shown = html.unescape(viewer.get(url("change", entry.pk)).content.decode())
        for words, those in by_words.items():
            assert (words in shown) == (entry in those)
