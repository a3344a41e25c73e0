"""Who asks what is held of them, or wants to be forgotten, is served from the admin, by those who may."""

from __future__ import annotations

import html
import json

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages

import django_vt
from django_vt import track
from django_vt.admin import person
from django_vt.events import Event
from django_vt.identity import Identity
from django_vt.models import RememberedIdentity, SendLogEntry
from tests.support.dump import dump
from tests.support.forgettable import ADDRESS, PIXEL, USER, VTSID, after, is_forgotten, life, order, traces_in
from tests.support.ordering import confirmation
from tests.support.people import url
from tests.unit.admin.conftest import FORGET, PEOPLE, RESEND, VIEW

__all__ = ["life"]


@pytest.fixture
def officer(log_in):
    """Who answers shoppers' questions about their data, and may forget them."""
    return log_in(VIEW, PEOPLE, FORGET)


def shown(response):
    return " ".join(html.unescape(response.content.decode()).replace("\xa0", " ").split())


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def look(client, text=ADDRESS, way="address", **form):
    return client.post(url("person"), {"way": way, "text": text, **form})


def forget(client, text=ADDRESS, way="address", typed=ADDRESS):
    return look(client, text, way, act="forget", typed=typed)


@pytest.mark.parametrize("may", [(), (VIEW,), (VIEW, RESEND), (PEOPLE,), (VIEW, FORGET)])
def test_who_may_not_see_the_log_and_its_people_is_refused(log_in, may):
    client = log_in(*may)
    assert client.get(url("person")).status_code == 403
    assert look(client).status_code == 403


def test_the_list_leads_there_who_may_see_people_and_nobody_else(confidant, viewer):
    link = f'<a href="{url("person")}">'
    assert link in shown(confidant.get(url("changelist")))
    assert link not in shown(viewer.get(url("changelist")))


def test_the_page_says_how_much_is_held_of_a_person(confidant, life):
    before = dump()
    page = shown(look(confidant))
    assert "Held of this person: 10 entries, 1 remembered identity." in page
    assert "The entries by status: 7 pending, 1 sent, 1 failed, 1 skipped." in page
    assert "Some of it is being sent right now: until" in page
    assert dump() == before


@pytest.mark.parametrize(("way", "text"), [("pixel", USER), ("pixel", f"{USER}_1_false_false"), ("vtsid", VTSID)])
def test_a_person_is_known_by_an_id_too(confidant, life, way, text):
    page = shown(look(confidant, text, way))
    assert "Held of this person" in page
    assert "Only the visitor's identities were searched, not the texts of the events." in page


def test_other_people_of_the_same_browser_are_left_and_said(confidant):
    order("1")
    for number in ("2", "3"):
        track(confirmation(order_id=number, email="other@example.com"), identity=PIXEL)
    assert "2 entries of the same visitors hold another address, and are left out." in shown(look(confidant))


def test_where_nothing_is_found_the_page_says_what_was_searched(confidant):
    page = shown(look(confidant))
    assert "Nothing was found. Searched were the identities, references and texts" in page.replace("</p> <p>", " ")
    assert "Download" not in page
    assert "Forget for good" not in page


@pytest.mark.parametrize(
    ("way", "text", "problem"),
    [
        ("address", " ", "This is no e-mail address."),
        ("address", "a\0@example.com", "This is no e-mail address."),
        ("pixel", "a b", "This is neither the value of the cookie _vt_user nor the user id before its first _."),
        ("vtsid", ADDRESS, "This is not the value of the cookie _vtsid."),
    ],
)
def test_what_names_nobody_is_said_with_what_was_typed_in_its_place(confidant, way, text, problem):
    response = look(confidant, text, way)
    assert said(response) == [problem]
    assert f'<option value="{way}" selected>' in shown(response)


@pytest.mark.parametrize("form", [{"way": "name"}, {"way": ""}, {"act": "delete"}])
def test_what_no_form_of_ours_posts_is_refused(officer, form):
    assert officer.post(url("person"), {"way": "address", "text": ADDRESS, **form}).status_code == 400


def test_what_is_held_is_downloaded_as_the_command_prints_it(confidant, life, clock):
    response = look(confidant, act="export")
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Content-Disposition"] == 'attachment; filename="person-2026-11-23.json"'
    assert "no-store" in response.headers["Cache-Control"]
    assert json.loads(response.content) == django_vt.export_shopper(address=ADDRESS)


def test_an_export_is_recorded_in_the_history_without_the_person(confidant, life):
    look(confidant, act="export")
    [line] = LogEntry.objects.filter(object_id=None)
    words = "Exported, as the person asked what is held of them."
    assert line.object_repr == f"{words} (10 entries, 1 remembered identity)"
    assert set(LogEntry.objects.exclude(object_id=None).values_list("change_message", flat=True)) == {words}
    assert LogEntry.objects.exclude(object_id=None).count() == 10
    assert not traces_in(json.dumps(list(LogEntry.objects.values_list("object_repr", "change_message"))))


def test_a_person_is_forgotten_once_that_is_confirmed_by_typing(officer, life):
    response = forget(officer)
    assert (response.status_code, response.url) == (302, url("person"))
    success, under_way = said(response)
    assert success == "Forgotten: 10 entries, 1 remembered identity."
    assert under_way.startswith("Some of it is being sent right now: until")
    assert all(is_forgotten(entry) for name, entry in life.items() if name != "another's")
    assert after(life["another's"]).payload
    assert RememberedIdentity.objects.count() == 1
    assert not traces_in(dump())


def test_a_forgetting_is_recorded_in_each_entry_s_history(officer, life):
    forget(officer)
    entry = life["sent"]
    assert "Forgotten, as the person asked for it." in shown(officer.get(url("history", entry.pk)))


@pytest.mark.parametrize("typed", ["", "canary.bird@example.com", "yes"])
def test_unless_just_the_same_is_typed_again_nothing_is_forgotten(officer, life, typed):
    before = dump()
    response = forget(officer, typed=typed)
    assert said(response) == ["Nothing was forgotten: what you typed below is not the same as above."]
    assert "Held of this person: 10 entries" in shown(response)
    assert dump() == before


def test_who_may_see_people_and_not_forget_them_is_not_offered_it_and_refused(confidant, life):
    assert "Forget for good" not in shown(look(confidant))
    assert forget(confidant).status_code == 403
    assert not is_forgotten(life["sent"])


def test_of_a_long_log_the_texts_are_left_to_the_commands_and_that_is_said(officer, monkeypatch):
    mine = order("1")
    text = f"from other@example.com for {ADDRESS}"
    note = track(Event("note", {"text": text}), identity=Identity(vtsid="another-visitor"))
    monkeypatch.setattr(person, "MOST_SEARCHED", 1)
    words = "The send log is too long for this page to search the texts of all events."
    assert words in shown(look(officer))
    forget(officer)
    assert (is_forgotten(mine), is_forgotten(note)) == (True, False)
    assert words in shown(look(officer))
    monkeypatch.undo()
    assert "Held of this person: 1 entry, 0 remembered identities." in shown(look(officer))


def test_more_entries_than_a_page_deals_with_are_all_forgotten_and_the_newest_have_it_in_their_history(
    officer, monkeypatch
):
    entries = [order(str(number)) for number in range(5)]
    monkeypatch.setattr("django_vt.models.functions.LIMIT", 3)
    forget(officer)
    assert all(map(is_forgotten, entries))
    lined = set(LogEntry.objects.exclude(object_id=None).values_list("object_id", flat=True))
    assert lined == {str(entry.pk) for entry in entries[2:]}


def test_no_address_stands_in_a_url(officer, life):
    for response in (look(officer), look(officer, act="export"), forget(officer)):
        assert not traces_in(str(response.headers) + str(response.wsgi_request.get_full_path()))
    assert not traces_in("".join(map(str, SendLogEntry.objects.values_list("reference", flat=True))))
