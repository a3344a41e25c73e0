"""What the pages say of an entry, in plain words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_vt.admin.explain import Story, sentences
from django_vt.models import Endpoint, SendLogEntry
from django_vt.models.functions import milliseconds
from django_vt.operations.sending_state import SendingState
from tests.support.delivering import stored


def in_future(**span: float):
    return timezone.now() + timedelta(**span)


@pytest.fixture(autouse=True)
def _stopped(clock):
    """The time stands still."""


def story(*, enabled: bool = True, endpoint: Endpoint | None = None, **columns) -> Story:
    defaults = {"account_id": "acc123", "payload": "{}", "identity": "vtsid:x", "created_at": timezone.now()}
    if columns.get("status", "pending") == "pending":
        defaults["due_at"] = timezone.now()
    entry = SendLogEntry(**stored({**defaults, "event_type": "wishlist", **columns}))
    return Story(entry, sending(*([endpoint] if endpoint else []), enabled=enabled))


def endpoint(**columns) -> Endpoint:
    return Endpoint(**stored({"account_id": "acc123", "event_type": "wishlist", "address": "https://x", **columns}))


def paused(**span: float) -> Endpoint:
    return endpoint(consecutive_failures=3, paused_until=in_future(**span), reason="answered: 503")


def words(text: str) -> str:
    return text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, "due now"),
        ({"reason": "timed out"}, "due now, last time: Vibetrace did not answer in time"),
        ({"due": 240, "attempts": 2, "response_status": 503}, "retry in 4 minutes, attempt 3 of 8, last answer 503"),
        ({"due": 20, "attempts": 1}, "retry in less than a minute, attempt 2 of 8"),
        ({"due": -720}, "overdue for 12 minutes: the shop's sending does not seem to run"),
        ({"due": -60}, "due now"),
        ({"due": 60, "claim": "token"}, "being sent now"),
        ({"due": -60, "claim": "token"}, "due now"),
        ({"due_at": None}, "due now"),
    ],
)
def test_a_pending_entry_says_when_it_goes(columns, expected):
    if "due" in columns:
        columns = {**columns, "due_at": in_future(seconds=columns["due"])}
        del columns["due"]
    assert words(story(**columns).why()) == expected


def test_the_next_sentence_is_the_same_as_a_sentence():
    told = story(due_at=in_future(minutes=4), attempts=2, response_status=503)
    assert words(told.next()) == "Retry in 4 minutes, attempt 3 of 8, last answer 503."


def test_what_stops_sending_comes_first():
    assert story(endpoint=endpoint(held_by_staff=True)).why() == "waits: sending is held by staff"
    assert story(enabled=False).why() == "waits: sending is switched off"
    assert words(story(endpoint=paused(minutes=10)).why()) == "sending is paused for 10 minutes"
    assert words(story(endpoint=paused(minutes=1), due_at=in_future(minutes=10)).why()) == "retry in 10 minutes"
    assert story(account_id="another").why() == "waits, and is not sent: the settings do not name its account"


def test_another_accounts_pause_stops_nothing(settings):
    settings.DJANGO_VT = {"ACCOUNT_ID": {"one.ro": "acc123", "one.bg": "another"}}
    assert story(account_id="another", endpoint=paused(minutes=10)).why() == "due now"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, "It was recorded and has not been tried yet."),
        (
            {"reason": "answered: 503"},
            "It was tried and did not get through. Vibetrace could not take it at the time (answer 503).",
        ),
        (
            {"status": "failed", "reason": "answered: 400", "attempts": 1},
            "It failed for good after 1 attempt. Vibetrace refused it (answer 400).",
        ),
        (
            {"status": "failed", "reason": "tls", "attempts": 8},
            (
                "It failed for good after 8 attempts. Vibetrace could not prove that it is Vibetrace: "
                "its certificate was not accepted."
            ),
        ),
        (
            {"status": "skipped", "reason": "expired"},
            "It was not sent. Too old to be of use when its turn came.",
        ),
        ({"status": "skipped"}, "It was not sent. No reason was stored."),
        ({"status": "failed", "attempts": 8}, "It failed for good after 8 attempts. No reason was stored."),
    ],
)
def test_what_happened(columns, expected):
    assert story(**columns).happened() == expected


def test_what_was_sent_says_when_in_the_readers_time():
    told = story(status="sent", sent_at=timezone.now(), response_status=200)
    assert told.happened() == "Vibetrace accepted it on 11/23/2026 14:00:00 (answer 200)."
    assert told.why() == ""


def test_what_a_backend_for_tests_took_says_that_it_never_left():
    told = story(status="sent", sent_at=timezone.now(), response_status=200, reason="kept here: DummyBackend")
    never = "It never left this machine: the shop is set up for tests or development (DummyBackend)"
    assert (told.happened(), told.why()) == (f"It is called sent. {never}.", never)
    assert told.next().startswith("Nothing by itself.")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"status": "sent"}, "Nothing: it has arrived."),
        (
            {"status": "failed", "reason": "tls"},
            "Nothing by itself. Whoever looks after the shop's site has to mend this. Then send it again.",
        ),
        ({"status": "failed"}, "Nothing by itself. Mend the cause, then send it again."),
        ({"status": "skipped", "reason": "expired"}, "Nothing: it will not be sent by itself."),
        (
            {"status": "skipped", "reason": "nobody", "dedup_key": "x"},
            (
                "Nothing by itself. It can be sent once the shop tells whose it is, as by an e-mail address in the "
                "order. Then have it signalled again, or send it again."
            ),
        ),
        (
            {"status": "skipped", "reason": "invalid: items", "payload": ""},
            (
                "Nothing by itself. Whoever looks after the shop's site has to mend this. "
                "Then have it signalled anew: that will be an entry of its own."
            ),
        ),
        ({"status": "failed", "reason": "forgotten"}, "Nothing: there is no event in it that could be sent."),
    ],
)
def test_what_happens_next_to_those_that_wait_for_nothing(columns, expected):
    assert story(**columns).next() == expected


def sending(*endpoints: Endpoint, enabled: bool = True) -> SendingState:
    now, held = timezone.now(), any(endpoint.held_by_staff for endpoint in endpoints)
    return SendingState(now, milliseconds(now), enabled, held, endpoints)


def told(state: SendingState) -> list[str]:
    return [words(sentence) for sentence in sentences(state)]


def test_the_state_of_sending_is_told():
    assert told(sending()) == ["Sending is open."]
    accepted = endpoint(last_success_at=in_future(minutes=-3))
    assert told(sending(accepted)) == ["Sending is open; Vibetrace last accepted events 3 minutes ago."]
    assert told(sending(enabled=False)) == [
        "Sending is switched off in the shop's settings: nothing is recorded and nothing sent."
    ]
    assert told(sending(endpoint(held_by_staff=True))) == [
        "Sending is held: events are recorded and wait until it is released."
    ]


def test_trouble_is_told_of_each_account_that_has_it():
    tried = paused(minutes=-1)
    tried.reason = "unreached"
    assert told(sending(endpoint(account_id="fine"), paused(minutes=5), tried)) == [
        "Account acc123: sending is paused for 5 minutes. Vibetrace could not take it at the time (answer 503).",
        "Account acc123: the next event will show whether sending works again. unreached.",
    ]


def test_the_states_have_names():
    states = [sending(enabled=False), sending(endpoint(held_by_staff=True)), sending(paused(minutes=5)), sending()]
    assert [state.state for state in states] == ["off", "held", "troubled", "open"]
