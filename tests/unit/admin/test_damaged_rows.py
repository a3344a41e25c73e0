"""A row that somebody has changed by hand, or an older version has written: shown, sent and forgotten all the same."""

from __future__ import annotations

import html
import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

import django_vt
from django_vt.models import RememberedIdentity, SendLogEntry
from django_vt.protocol.addresses import hash_of_address
from tests.support.people import CANARY, PIXEL, url
from tests.support.webassembly import IS_TOO_DEEP_FOR_JAVASCRIPT
from tests.unit.admin.conftest import PEOPLE, RESEND, VIEW

pytestmark = [pytest.mark.any_database, pytest.mark.newest]

PAYLOADS = {
    "cut off": f'{{"email":"{CANARY}","type":"log',
    "python's": f"{{'email': '{CANARY}'}}",
    "a text": f'"{CANARY}"',
    "words": f"ordered by {CANARY}",
    "a list": f'[{{"email":"{CANARY}"}}]',
    "a list of lists": "[" * 2_000 + f'"{CANARY}"' + "]" * 2_000,
    "objects in objects": '{"generic":' * 900 + f'"{CANARY}"' + "}" * 900,
    "nothing closed": "[" * 100_000 + CANARY,
    "a number": "12",
    "too long a number": "1" * 5_000,
    "null": "null",
    "nothing but a blank": " ",
    "no number": '{"total":NaN}',
    "half a character": f'{{"type":"wishlist","productId":"\\ud800","cc":"{CANARY}"}}',
    "a type that is none": f'{{"type":["{CANARY}"],"email":{{"{CANARY}":1}}}}',
}
COLUMNS = {
    "identity": ["garbage", "pixel:", "pixel:1", f"email:{'x' * 300}", ":", f"vtsid:{CANARY}"],
    "reason": ["???", "invalid: ", ": :", "answered: abc"],
    "status": ["lost", ""],
    "event_type": ["", "../..", "a b"],
    "account_id": ["", "a/b"],
    "response_status": [0, 999],
    "attempts": [0, 30_000],
    "due_at": [-1, 2**62, -(2**62)],
    "claim": ["somebody"],
    "email_hash": ["no hash"],
    "reference": ["\r\n", "%40", " "],
    "dedup_key": ["x"],
}
DEEP = {"a list of lists", "nothing closed"}
DAMAGED = [
    pytest.param({"payload": text}, id=name, marks=IS_TOO_DEEP_FOR_JAVASCRIPT if name in DEEP else ())
    for name, text in PAYLOADS.items()
] + [pytest.param({name: value}, id=f"{name} {value!r}") for name, values in COLUMNS.items() for value in values]


def answers(client, entry):
    """Every page that shows an entry or acts on it."""
    yield client.get(url("changelist"))
    for what in ("reference", "identity", "address"):
        yield client.get(url("changelist"), {"same": f"{what}:{entry.pk}"})
    yield client.get(url("changelist"), {"status": entry.status, "type": entry.event_type, "reason": entry.reason})
    yield client.get(url("change", entry.pk))
    yield client.get(url("history", entry.pk))
    yield client.post(url("search"), {"text": CANARY}, follow=True)
    yield client.post(url("changelist"), {"action": "send_again", "_selected_action": [entry.pk], "index": "0"})
    yield client.post(url("resend"), {"ids": str(entry.pk)})
    yield client.post(url("resend"), {"ids": str(entry.pk), "confirmed": "yes"}, follow=True)
    yield client.get(reverse("admin:index"))


@pytest.mark.unmeasured
@pytest.mark.parametrize("columns", DAMAGED)
def test_every_page_opens_and_tells_masked_staff_nothing(log_in, record, columns):
    status = "pending" if "due_at" in columns else "failed"
    entry = record(status=status, reason="answered: 400")
    SendLogEntry.objects.filter(pk=entry.pk).update(**columns)
    entry.refresh_from_db()
    for permissions in ((VIEW, RESEND), (VIEW, RESEND, PEOPLE)):
        for response in answers(log_in(*permissions), entry):
            assert response.status_code == 200
            assert PEOPLE in permissions or "canary" not in response.content.decode()


NO_EVENTS = ["cut off", "python's", "a text", "words", "a list", "a list of lists", "nothing closed"]


@pytest.mark.parametrize("name", NO_EVENTS)
def test_what_is_no_event_is_shown_as_it_is_to_those_who_may_see_people_and_replaced_for_others(
    viewer, confidant, record, name
):
    entry = record(payload=PAYLOADS[name])
    shown, masked = (client.get(url("change", entry.pk)).content.decode() for client in (confidant, viewer))
    as_it_is = PAYLOADS[name] if name != "a list" else json.dumps(json.loads(PAYLOADS[name]), indent=2)
    assert f'<pre class="vt-code" dir="ltr">{as_it_is}</pre>' in html.unescape(shown)
    assert '<pre class="vt-code" dir="ltr">***</pre>' in masked


@pytest.mark.parametrize("name", [name for name, text in PAYLOADS.items() if CANARY in text])
def test_it_is_found_exported_and_forgotten_by_the_address_in_it(record, name):
    entry = record("1", payload=PAYLOADS[name], identity=f"pixel:{PIXEL}", email_hash="")
    [held] = django_vt.export_shopper(address=CANARY)["entries"]
    assert CANARY in json.dumps(held["event"])
    assert json.loads(printed("export_shopper", CANARY))["entries"][0]["id"] == entry.pk
    assert "1 failed" not in printed("forget_shopper", CANARY)
    assert SendLogEntry.objects.get().payload == ""


def test_letters_that_are_escaped_in_what_is_cut_off_are_found(record):
    record("1", payload='{"email":"jos\\u00e9@example.com","ty', identity=f"pixel:{PIXEL}", email_hash="")
    assert len(django_vt.export_shopper(address="josé@example.com")["entries"]) == 1


@pytest.mark.parametrize("identity", ["", "{", "[]", "null", '{"colour":"red"}', '{"user_id":1}', '{"vtsid":" "}'])
def test_a_remembered_identity_that_cannot_be_read_is_nobodys(record, identity):
    key = django_vt.recording.attribution.key_of("100023")
    RememberedIdentity.objects.create(key=key, identity=identity, created_at=record().created_at)
    SendLogEntry.objects.all().delete()
    order = django_vt.events.Confirmation("100023", 1, [("A", 1)], email=CANARY)
    assert django_vt.track(order).identity == f"email:{CANARY}"
    assert django_vt.export_shopper(address=CANARY)["entries"][0]["email_hash"] == hash_of_address(CANARY)
    assert django_vt.forget_shopper(address=CANARY).statuses == {"pending": 1}


def printed(*command):
    output = StringIO()
    call_command(*command, stdout=output)
    return output.getvalue()
