"""The page of one entry."""

from __future__ import annotations

import html
import json
import re

from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_vt.admin import entry_page
from django_vt.models import SendAttempt
from tests.support.people import CANARY, PIXEL, url
from tests.unit.admin.conftest import ago

PLAIN = {"identity": "", "email_hash": "", "reference": ""}


def page(client, entry) -> str:
    response = client.get(url("change", entry.pk))
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def in_words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def test_it_shows_the_event_as_readable_json(confidant, record):
    shown = page(confidant, record(payload='{"type":"wishlist","name":"\\u0219"}'))
    assert '{\n  "type": "wishlist",\n  "name": "ș"\n}' in shown


def test_it_says_what_happened_and_what_happens_next(viewer, record):
    entry = record(due_at=ago(minutes=-4, seconds=-30), attempts=2, response_status=503, reason="answered: 503")
    shown = page(viewer, entry)
    assert "Retry in 4\xa0minutes, attempt 3 of 8, last answer 503." in shown
    assert "It was tried and did not get through. Vibetrace could not take it at the time (answer 503)." in shown


def test_what_stands_behind_the_plain_words_is_one_click_away(viewer, record):
    shown = page(viewer, record(status="failed", reason="answered: 503", response_status=503, attempts=8))
    details = in_words(shown[shown.index('<details class="vt-technical">') : shown.index("</details>")])
    for told in ("Vibetrace answered 503 Service Unavailable", "answered: 503", "confirmation", "acc123", "8"):
        assert told in details
    assert "send_pending" not in shown
    assert "see whether a worker runs (send_pending)" in page(viewer, record(due_at=ago(minutes=12)))


def test_people_are_masked_for_who_may_not_see_them(viewer, record):
    record(
        CANARY,
        identity=f"pixel:{PIXEL}",
        payload=json.dumps(dict(zip(["userId", "sessionId"], PIXEL.split("_"), strict=True))),
    )
    entry = record(CANARY)
    for pk in (entry.pk, entry.pk - 1):
        response = viewer.get(url("change", pk))
        for part in ("canary", "example.com", *PIXEL.split("_")):
            assert part not in response.content.decode()
    assert "c***@***" in page(viewer, entry)


def test_even_who_may_see_people_has_to_ask_for_the_address_in_the_request(confidant, record):
    shown = page(confidant, record())
    request = shown[shown.index("GET https://app.vtcdn.net/event/acc123/confirmation?data=[{") :]
    masked, _asked, unmasked = request.partition("<details>")
    assert '"email":"c***@***"' in masked
    assert CANARY not in masked
    assert CANARY in unmasked


def test_an_address_stands_in_no_title_and_no_crumb(confidant, record):
    shown = page(confidant, record(CANARY))
    head = shown[: shown.index('id="content-main"')]
    assert "canary" not in head


def test_an_emptied_entry_has_nothing_to_show(viewer, record):
    shown = page(viewer, record(status="skipped", reason="forgotten", payload="", **PLAIN))
    assert "Emptied at the shopper's wish" in shown
    assert "GET https" not in shown


def test_a_lost_account_is_the_one_it_would_go_to(viewer, record):
    assert "/event/acc123/confirmation" in page(
        viewer, record(account_id="", status="skipped", reason="invalid: ACCOUNT_ID")
    )


def test_its_life_is_told_in_order(viewer, record):
    entry = record(status="sent", created_at=ago(hours=3))
    SendAttempt.objects.create(entry=entry, at=ago(hours=2), response_status=503, reason="answered: 503")
    SendAttempt.objects.create(entry=entry, at=ago(hours=1), reason="timed out")
    shown = page(viewer, entry)
    life = in_words(shown[shown.index("vt-timeline") :])
    moments = [
        "Recorded",
        "Vibetrace could not take it at the time (answer 503)",
        "Vibetrace did not answer in time",
        "Accepted by Vibetrace",
    ]
    assert sorted(moments, key=life.index) == moments


def test_how_it_ended_is_told_too(viewer, record):
    shown = page(viewer, record(status="failed", reason="tls", attempts=8))
    assert "It failed for good after 8 attempts." in shown[shown.index("vt-timeline") :]


def test_of_many_attempts_the_last_are_told(viewer, record, monkeypatch):
    monkeypatch.setattr(entry_page, "MOST_ATTEMPTS", 2)
    entry = record()
    for reason in ("tls", "timed out", "unreachable"):
        SendAttempt.objects.create(entry=entry, at=ago(hours=1), reason=reason)
    life = in_words(page(viewer, entry))
    assert "Earlier failed attempts, of which the last 2 are shown" in life
    assert "certificate" not in life
    assert life.index("did not answer in time") < life.index("could not be reached")


def test_its_neighbours_are_those_with_the_same_reference_or_identity(viewer, record):
    entry = record("77", status="sent")
    sibling = record("77", event_type="refund", identity="vtsid:other-person-here", email="c@example.net")
    kin = record("78", event_type="login")
    stranger = record("79", email="b@example.net")
    shown = page(viewer, entry)
    assert shown.count(url("change", sibling.pk)) == 1
    assert shown.count(url("change", kin.pk)) == 1
    assert url("change", stranger.pk) not in shown
    assert f"?same=reference:{entry.pk}" in shown
    assert f"?same=identity:{entry.pk}" in shown


def test_of_many_neighbours_the_newest_are_shown(viewer, record, monkeypatch):
    monkeypatch.setattr(entry_page, "SHOWN", 1)
    entry = record("77", status="sent")
    older, newer = record("77"), record("77")
    shown = page(viewer, entry)
    assert url("change", newer.pk) in shown
    assert url("change", older.pk) not in shown


def test_who_stands_alone_has_no_neighbours(viewer, record):
    entry = record(**PLAIN)
    record(**PLAIN)
    assert "?same=" not in page(viewer, entry)


def test_it_takes_a_bounded_number_of_queries(viewer, record):
    entry = record("77", attempts=1)
    for number in range(60):
        record("77")
        SendAttempt.objects.create(entry=entry, at=ago(hours=1), reason="tls", response_status=number)
    page(viewer, entry)  # content types are kept
    with CaptureQueriesContext(connection) as captured:
        page(viewer, entry)
    # Session, user, two for permissions; the entry, the state of sending, the clock, its attempts, five for its
    # neighbours.
    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) == 13


def test_an_entry_that_is_gone_leads_back(viewer):
    assert viewer.get(url("change", 99)).status_code == 302


def test_its_history_shows_no_address(viewer, record):
    response = viewer.get(url("history", record(CANARY).pk))
    assert response.status_code == 200
    assert b"canary" not in response.content
