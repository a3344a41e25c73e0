"""Somebody hears, without looking, of what fails for good and of an outage that lasts; and not a thousand times."""

from __future__ import annotations

import logging
import threading

import django
import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.mail.utils import DNS_NAME

from django_vt.delivery import alerts, deliver_due
from django_vt.exceptions import DeliveryError
from django_vt.protocol.outcome import Reply
from tests.support.delivering import configure, endpoint, one, pending, statuses

pytestmark = pytest.mark.django_db

HOUR = 3600


def told(caplog, level=logging.ERROR):
    """What was said at this level, and forgotten by the next call."""
    said = [record.getMessage() for record in caplog.records if record.levelno == level]
    caplog.clear()
    return said


def fail(clock, script, status=400):
    """An entry that fails for good, while others get through."""
    bad = one()
    script.reject(bad, status=status)
    deliver_due()
    clock.advance(10)
    one()
    deliver_due()
    bad.refresh_from_db()
    while bad.status == "pending":
        clock.advance(10)
        deliver_due()
        bad.refresh_from_db()
    return bad


def outage(clock, script):
    """Three hours of it, and then an event gets through."""
    one()
    script.answer = lambda request: 503
    for _ in range(12):
        deliver_due()
        clock.advance(900)
    script.answer = lambda request: 200
    one()
    deliver_due()
    clock.advance(900)


# An outage


def test_a_short_outage_is_no_error(clock, script, caplog):
    pending(2)
    script.answer = lambda request: DeliveryError("unreachable")
    for _ in range(7):
        deliver_due()
        clock.now = endpoint().paused_until_moment
    assert endpoint().consecutive_failures == 7
    script.answer = lambda request: 200
    deliver_due()
    assert statuses() == {"sent": 2}
    assert told(caplog) == []


def test_an_outage_that_lasts_is_told_once(clock, script, caplog):
    one()
    script.answer = lambda request: 503
    for _ in range(50):
        deliver_due()
        clock.advance(900)
    [said] = told(caplog)
    assert said.startswith(
        "Nothing gets through to Vibetrace since 2026-11-23 12:00:00+00:00 (account acc123, type wishlist): "
        "Vibetrace answered 503 Service Unavailable."
    )


def test_the_next_outage_is_told_again(clock, script, caplog):
    for _ in range(2):
        outage(clock, script)
        assert len(told(caplog)) == 1
    assert statuses() == {"sent": 4}


def test_a_second_outage_within_the_hour_is_told_if_it_outlasts_that(clock, script, caplog):
    one()
    script.answer = lambda request: 403
    deliver_due()
    script.answer = lambda request: 200
    clock.advance(10)
    deliver_due()
    assert len(told(caplog)) == 1
    one()
    script.answer = lambda request: 403
    for _ in range(4):
        deliver_due()
        clock.advance(900)
    assert told(caplog) == []
    for _ in range(10):
        deliver_due()
        clock.advance(900)
    assert len(told(caplog)) == 1


def test_a_vendor_that_asks_for_a_quarter_of_an_hour_is_told_at_once(clock, script, caplog):
    one()
    script.answer = lambda request: Reply(429, "899")
    deliver_due()
    assert told(caplog) == []
    clock.advance(899)
    script.answer = lambda request: Reply(429, "900")
    deliver_due()
    assert len(told(caplog)) == 1


def test_an_outage_of_many_short_pauses_is_told_when_it_has_lasted(clock, script, caplog):
    pending(2)
    script.answer = lambda request: Reply(503, "60")
    for _ in range(15):
        deliver_due()
        clock.advance(60)
    assert told(caplog) == []
    deliver_due()
    assert len(told(caplog)) == 1


def test_a_wrong_configuration_is_told_at_once_and_not_again_as_an_outage(clock, script, caplog):
    one()
    script.answer = lambda request: 403
    deliver_due()
    assert "seems wrong" in told(caplog)[0]
    for _ in range(20):
        clock.advance(900)
        deliver_due()
    assert told(caplog) == []


# What has failed for good


def test_the_first_that_fails_for_good_is_told_at_error(clock, script, caplog):
    bad = fail(clock, script)
    errors = [said for said in told(caplog) if "failed for good" in said]
    assert len(errors) == 1
    assert f"entry {bad.pk} of the send log, Vibetrace answered 400 Bad Request." in errors[0]


def test_those_that_follow_within_an_hour_are_told_at_warning(clock, script, caplog):
    fail(clock, script)
    caplog.clear()
    bad = fail(clock, script, status=414)
    assert f"Entry {bad.pk} of the send log has failed for good" in "".join(told(caplog, logging.WARNING))


def test_many_that_fail_between_others_that_get_through_are_told_once(clock, script, caplog):
    bad = pending(10, batch_limit=1)
    script.reject(*bad)
    while statuses()["failed"] < 10:
        one()
        deliver_due()
        clock.advance(1)
    errors = [said[:17] for said in told(caplog)]
    assert sorted(errors) == ["An event has fail"]


def test_after_an_hour_the_next_is_an_error_again(clock, script, caplog):
    fail(clock, script)
    caplog.clear()
    clock.advance(HOUR)
    fail(clock, script)
    assert any("failed for good" in said for said in told(caplog))


# By mail


@pytest.fixture
def mailed(settings, monkeypatch):
    """The subjects of the mails since the last call."""
    monkeypatch.setattr(DNS_NAME, "_fqdn", "localhost", raising=False)  # else it asks the network for this machine's
    settings.EMAIL_SUBJECT_PREFIX, settings.SERVER_EMAIL = "[shop] ", "server@shop.example"
    configure(settings, ALERT_EMAILS=["staff@shop.example"])

    def mailed():
        alerts.wait()
        subjects = [message.subject for message in mail.outbox]
        mail.outbox.clear()
        return subjects

    return mailed


def test_where_nobody_is_named_nobody_gets_a_mail(clock, script, mailed, settings):
    configure(settings, ALERT_EMAILS=())
    outage(clock, script)
    fail(clock, script)
    assert mailed() == []


def test_an_outage_is_one_mail_and_no_second_outage_of_the_day_another(clock, script, mailed):
    outage(clock, script)
    assert mailed() == ["[shop] Vibetrace: nothing gets through"]
    outage(clock, script)
    assert mailed() == []
    clock.advance(24 * HOUR)
    outage(clock, script)
    assert mailed() == ["[shop] Vibetrace: nothing gets through"]


def test_an_outage_of_three_days_is_one_mail(clock, script, mailed):
    one()
    script.answer = lambda request: 503
    for _ in range(72):
        deliver_due()
        clock.advance(HOUR)
    assert len(mailed()) == 1


def test_an_account_gets_one_mail_of_an_outage_that_all_its_types_have(clock, script, mailed):
    one()
    one(event_type="login")
    script.answer = lambda request: 503
    for _ in range(12):
        deliver_due()
        clock.advance(900)
    assert len(mailed()) == 1


def fail_between_others(clock, script):
    fail(clock, script)
    one()
    deliver_due()
    clock.advance(HOUR)


def test_what_fails_for_good_is_one_mail_a_day_whatever_else_is_wrong(clock, script, mailed):
    outage(clock, script)
    mailed()
    for _ in range(3):
        fail_between_others(clock, script)
    assert mailed() == ["[shop] Vibetrace: an event has failed"]
    clock.advance(24 * HOUR)
    fail_between_others(clock, script)
    assert mailed() == ["[shop] Vibetrace: an event has failed"]


def test_a_wrong_configuration_is_a_mail_at_once(clock, script, mailed):
    one()
    script.answer = lambda request: 403
    deliver_due()
    assert mailed() == ["[shop] Vibetrace: the configuration seems wrong"]


def test_the_mail_names_the_entry_and_the_reason_and_nobody(clock, script, mailed):
    bad = fail(clock, script)
    alerts.wait()
    [message] = mail.outbox
    assert (message.to, message.from_email) == (["staff@shop.example"], "server@shop.example")
    assert f"entry {bad.pk} of the send log, Vibetrace answered 400 Bad Request" in message.body
    assert bad.identity.partition(":")[2] not in message.body


def test_it_may_be_for_those_in_admins(clock, script, mailed, settings):
    settings.ADMINS = ["anna@shop.example"] if django.VERSION >= (6, 0) else [("Anna", "anna@shop.example")]
    configure(settings, ALERT_EMAILS="ADMINS")
    fail(clock, script)
    alerts.wait()
    [message] = mail.outbox
    assert message.to == ["anna@shop.example"]


def test_a_mail_server_that_is_slow_holds_up_no_event(clock, script, mailed, monkeypatch):
    goes_on = threading.Event()
    send = EmailBackend.send_messages
    monkeypatch.setattr(EmailBackend, "send_messages", lambda self, given: goes_on.wait(10) and send(self, given))
    fail(clock, script)
    one()
    assert deliver_due().sent == 1
    alerts.wait(0)
    assert mail.outbox == []
    goes_on.set()
    assert len(mailed()) == 1


def test_a_mail_server_that_fails_costs_the_mail_and_the_log_says_so(clock, script, mailed, monkeypatch, caplog):
    def refuse(self, given):
        raise ConnectionRefusedError("staff@shop.example")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    fail(clock, script)
    assert mailed() == []
    assert [said for said in told(caplog, logging.WARNING) if "mailed" in said] == [
        "An alert could not be mailed: ConnectionRefusedError"
    ]


def test_where_no_thread_can_be_started_the_event_is_settled_all_the_same(clock, script, mailed, monkeypatch, caplog):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    bad = fail(clock, script)
    assert bad.status == "failed"
    assert mailed() == []
    assert "An alert could not be mailed: RuntimeError" in told(caplog, logging.WARNING)
