"""On the first day: one event goes out, and the command says in words what its answer means."""

from __future__ import annotations

import pytest

from django_vt.exceptions import DeliveryError
from django_vt.management import advice
from django_vt.models import Endpoint, SendLogEntry
from django_vt.protocol import reasons
from django_vt.protocol.outcome import Kind, Verdict
from django_vt.testing import Answer, Hang
from tests.support.delivering import configure
from tests.support.misbehaviour import (
    DripBody,
    DripHead,
    Garbage,
    HugeBody,
    MalformedHeaders,
    ResetAfterReading,
    ResetBeforeReading,
    TruncatedBody,
    redirect,
)
from tests.unit.management.commands.conftest import fails, hold, pause, run

pytestmark = pytest.mark.django_db

COMMAND = "send_test_event"
QUICKLY = (0.2, 0.3)  # seconds


def test_it_speaks_english_whatever_the_project_speaks(fake_vendor, settings):
    settings.LANGUAGE_CODE = "ro"
    assert "Vibetrace answered 200 OK, after " in run(COMMAND)


def test_it_says_what_was_sent_what_came_back_and_what_follows(fake_vendor):
    printed = run(COMMAND)
    [event] = fake_vendor.events
    assert set(event) == {"_vtsid", "type"}
    assert event["type"] == "django_vt_test"
    assert f"Sending to {fake_vendor.endpoint}/acc123/django_vt_test:" in printed
    assert f'{{"_vtsid": "{event["_vtsid"]}", "type": "django_vt_test"}}' in printed
    assert "Vibetrace answered 200 OK, after " in printed
    assert "The event is accepted." in printed
    assert fake_vendor.violations == []


def test_each_test_is_by_somebody_else(fake_vendor):
    run(COMMAND)
    run(COMMAND)
    assert len({event["_vtsid"] for event in fake_vendor.events}) == 2


def test_the_address_that_it_is_told_to_use_is_sent_and_shown_masked(fake_vendor):
    printed = run(COMMAND, "--email=owner@example.com")
    assert fake_vendor.events == [{"email": "owner@example.com", "type": "django_vt_test"}]
    assert '{"email": "o***@***", "type": "django_vt_test"}' in printed
    assert "owner@" not in printed


@pytest.mark.parametrize("address", ["", "nobody", "a\0@example.com"])
def test_an_address_that_is_none_is_refused_and_not_repeated(fake_vendor, address):
    error = fails(COMMAND, f"--email={address}")
    assert str(error).startswith("argument --email: ")
    assert error.returncode == 2
    assert fake_vendor.requests == []


ANSWERS = [
    (Answer(204), None),
    (HugeBody(), None),
    (DripBody(), None),
    (TruncatedBody(), None),
    (Answer(500), "answered 500 Internal Server Error, after "),
    (Answer(503, retry_after=120), "answered 503 Service Unavailable and asks for 120 s of rest, after "),
    (Answer(429), "Try again later."),
    (Answer(400), "The event itself is refused"),
    (Answer(401), "does not let this account"),
    (Answer(403), "does not let this account"),
    (Answer(404), "no such account"),
    (Answer(410), "no such account"),
    (Answer(405), "takes no events"),
    (Answer(414), "takes only short addresses"),
    (redirect("https://elsewhere.example.com/"), "That is a redirect"),
    (Hang(), "No complete answer within the time limit"),
    (DripHead(), "No complete answer within the time limit"),
    (ResetBeforeReading(), "The connection broke before the answer"),
    (ResetAfterReading(), "The connection broke before the answer"),
    (Garbage(), "The connection broke before the answer"),
]


@pytest.mark.parametrize(("behaviour", "words"), ANSWERS, ids=lambda value: type(value).__name__)
def test_each_answer_is_told_in_words_and_by_the_exit_code(fake_vendor, settings, behaviour, words):
    if words is None or "time limit" in words:
        configure(settings, TIMEOUT=QUICKLY)  # the others never get there, however busy the machine is
    fake_vendor.misbehave(behaviour)
    if words is None:
        assert "The event is accepted." in run(COMMAND)
    else:
        error = fails(COMMAND)
        assert words in str(error)
        assert error.returncode == 1
        assert "Sending to" in error.printed


def test_headers_that_make_no_sense_do_not_end_it_with_a_traceback(fake_vendor):
    fake_vendor.misbehave(MalformedHeaders())
    assert "Sending to" in run(COMMAND)


def test_a_host_that_does_not_answer_is_told(fake_vendor):
    fake_vendor.refuse()
    assert "could not be reached: the connection was refused" in str(fails(COMMAND))


@pytest.mark.parametrize("code", [reasons.UNKNOWN_HOST, reasons.TLS, reasons.BACKEND_FAILED])
def test_what_comes_before_the_vendor_is_told_too(script, code):
    script.answer = lambda request: DeliveryError(reasons.reason(code))
    assert advice.OF_REASON[code] in str(fails(COMMAND))


def test_every_reason_for_no_answer_has_its_advice():
    without_answer = {
        "UNREACHABLE",
        "UNKNOWN_HOST",
        "TLS",
        "TLS_VERSION",
        "TIMED_OUT",
        "BROKEN",
        "BACKEND_FAILED",
        "PLAIN_HTTP",
    }
    assert set(advice.OF_REASON) == {getattr(reasons, name) for name in without_answer}
    for code in advice.OF_REASON:
        assert advice.on(Verdict(Kind.RETRY, reasons.reason(code, "detail"))) == advice.OF_REASON[code]


def test_every_kind_of_answer_has_its_advice():
    assert set(advice.OF_KIND) == set(Kind)


def test_another_backend_is_named_as_its_answer_proves_nothing(script):
    printed = run(COMMAND)
    assert "It goes through tests.support.delivering.ScriptedBackend" in printed
    assert [request.event_type for request in script.requests] == ["django_vt_test"]


def test_a_failure_neither_pauses_the_shop_nor_leaves_an_entry(fake_vendor):
    fake_vendor.misbehave(Answer(503))
    fails(COMMAND)
    assert not SendLogEntry.objects.exists()
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(("obstruct", "words"), [(hold, "held by staff"), (pause, "is paused until")])
def test_it_is_sent_in_spite_of_what_keeps_the_shops_events_and_says_so(fake_vendor, obstruct, words):
    obstruct()
    error = fails(COMMAND)
    assert "The shop's own events do not follow yet." in str(error)
    assert words in str(error)
    assert "The event is accepted." in error.printed
    assert len(fake_vendor.events) == 1


@pytest.mark.parametrize(
    ("block", "words"),
    [({"ENABLED": False}, 'DJANGO_VT["ENABLED"] is False'), ({"ACCOUNT_ID": "a/b"}, 'DJANGO_VT["ACCOUNT_ID"]')],
)
def test_nothing_is_sent_where_nothing_can_be(fake_vendor, settings, block, words):
    configure(settings, **block)
    assert words in str(fails(COMMAND))
    assert fake_vendor.requests == []
