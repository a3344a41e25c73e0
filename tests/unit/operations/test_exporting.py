"""A person asks what is held of them."""

from __future__ import annotations

import json
from io import StringIO

import pytest

import django_vt
from django_vt import track
from django_vt.events import Event
from django_vt.exceptions import InvalidField
from django_vt.identity import Identity
from django_vt.operations import exporting
from tests.support.dump import dump
from tests.support.forgettable import ADDRESS, USER, VTSID, order, traces_in
from tests.unit.management.commands.conftest import fails, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_is_sent_by_itself")]


def entries_of(**given):
    return {entry["id"] for entry in django_vt.export_shopper(**given)["entries"]}


def test_all_that_would_be_forgotten_is_exported_and_nothing_of_anybody_else(life):
    held = django_vt.export_shopper(address=ADDRESS)
    assert {entry["id"] for entry in held["entries"]} == {
        entry.pk for name, entry in life.items() if name != "another's"
    }  # fmt: skip
    assert [row["identity"]["vtsid"] for row in held["remembered_identities"]] == [VTSID]
    assert "other@example.com" not in json.dumps(held)


def test_an_entry_is_told_whole(life, clock):
    held = {entry["id"]: entry for entry in django_vt.export_shopper(address=ADDRESS)["entries"]}
    failed = held[life["failed"].pk]
    assert (failed["reference"], failed["status"], failed["reason"]) == ("4", "failed", "answered: 500")
    assert failed["event"] == life["failed"].event
    assert failed["created_at"] == clock.now.isoformat()
    assert failed["failed_attempts"] == [
        {"at": clock.now.isoformat(), "response_status": 500, "reason": "answered: 500"}
    ]  # fmt: skip


def test_it_goes_across_spellings_and_by_ids():
    note = track(Event("note", {"text": f"for mailto:{ADDRESS.upper()}"}), identity=Identity(vtsid=VTSID))
    mine = order("1")
    assert entries_of(address=f" {ADDRESS}. ") == {note.pk, mine.pk}
    assert entries_of(pixel=USER) == {mine.pk}
    assert entries_of(vtsid=VTSID) == {note.pk}


def test_an_emptied_event_is_none():
    emptied = order("1", "sent", payload="")
    [entry] = django_vt.export_shopper(address=ADDRESS)["entries"]
    assert (entry["id"], entry["event"]) == (emptied.pk, None)


def test_many_are_exported_in_parts(monkeypatch):
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    entries = {order(str(number)).pk for number in range(5)}
    assert entries_of(address=ADDRESS) == entries


def test_the_command_prints_the_same_and_changes_nothing(life, clock, monkeypatch):
    before = dump()
    expected = django_vt.export_shopper(address=ADDRESS)
    monkeypatch.setattr("sys.stdin", StringIO(f"{ADDRESS}\n"))
    assert json.loads(run("export_shopper", "-")) == expected
    assert dump() == before


def test_nobody_s_export_is_empty_and_no_error():
    held = json.loads(run("export_shopper", "--vtsid", "nobody"))
    assert (held["entries"], held["remembered_identities"]) == ([], [])


def test_after_forgetting_there_is_nothing_to_export(life, clock):
    django_vt.forget_shopper(address=ADDRESS)
    held = django_vt.export_shopper(address=ADDRESS)
    assert (held["entries"], held["remembered_identities"]) == ([], [])
    assert traces_in(json.dumps(held)) == []


def test_what_names_nobody_is_refused():
    with pytest.raises(InvalidField, match="pixel"):
        django_vt.export_shopper(pixel="canary bird")
    assert str(fails("export_shopper", "--vtsid", "canary bird")).startswith("argument --vtsid: must be ")
    assert str(fails("export_shopper")).startswith("argument EMAIL: give ")


def test_empty_standard_input_is_said(monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO("\n"))
    assert str(fails("export_shopper", "-")) == "argument EMAIL: standard input holds no address"
