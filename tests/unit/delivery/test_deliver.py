from __future__ import annotations

import datetime

import pytest
from django.db import transaction
from django.utils import timezone

from django_vt.backends import locmem
from django_vt.delivery import DeliveryReport, deliver_due
from django_vt.delivery.claim import Claimer
from django_vt.delivery.deliver import Delivery
from django_vt.exceptions import DeliveryError
from django_vt.models import SendLogEntry
from django_vt.models.send_log import SendLogQuerySet, live_claim
from django_vt.protocol.outcome import Reply
from tests.support.delivering import ScriptedBackend, configure, endpoint, endpoint_row, one, pending, statuses

pytestmark = pytest.mark.django_db


def test_what_is_due_is_sent_and_the_log_says_so(clock, script):
    entries = pending(25)
    assert deliver_due() == DeliveryReport(requests=2, sent=25)
    assert script.times_sent == {entry.pk: 1 for entry in entries}
    for entry in SendLogEntry.objects.all():
        assert (entry.status, entry.response_status, entry.sent_at) == ("sent", 200, clock.now)
        assert (entry.claim, entry.due_at, entry.attempts, entry.reason) == (None, None, 0, "")


def test_in_a_test_environment_nothing_leaves_though_nothing_was_configured():
    entry = one()
    deliver_due()
    [request] = locmem.outbox
    assert request.entry_ids == (entry.pk,)


def test_while_disabled_nothing_is_sent_or_waited_for(settings, script):
    one()
    configure(settings, ENABLED=False)
    assert deliver_due() == DeliveryReport()
    with Delivery("default") as delivery:
        assert delivery.seconds_until_due() is None
    assert script.requests == []


def test_a_limit_holds_over_several_claims(settings, script):
    configure(settings, BATCH_SIZE=2, LEASE=27)
    pending(9)
    assert deliver_due(limit=5) == DeliveryReport(requests=3, sent=5)
    assert statuses() == {"sent": 5, "pending": 4}


def test_a_limit_of_none_at_all_sends_nothing(script):
    one()
    assert deliver_due(limit=0) == DeliveryReport()


def test_only_the_wanted_are_sent_and_in_spite_of_a_pause(clock, script):
    wanted, other = pending(2)
    endpoint_row(consecutive_failures=1, paused_until=clock.now + datetime.timedelta(seconds=60))
    assert deliver_due(ids=[wanted.pk]).sent == 1
    assert script.times_sent == {wanted.pk: 1}
    assert endpoint().is_open()
    other.refresh_from_db()
    assert other.status == "pending"


def test_the_wanted_are_each_tried_once(script):
    entries = pending(3)
    script.answer = lambda request: 500
    assert deliver_due(ids=[entry.pk for entry in entries]) == DeliveryReport(requests=4, retried=3)
    assert script.sizes == [3, 1, 1, 1]
    assert deliver_due(ids=[]) == DeliveryReport()


def test_the_wanted_that_a_claim_had_no_time_for_are_in_the_next(settings, clock, script):
    configure(settings, BATCH_SIZE=1)
    entries = pending(6)

    def answer_slowly(request):
        clock.advance(50)
        return 200

    script.answer = answer_slowly
    assert deliver_due(ids=[entry.pk for entry in entries]).sent == 6
    assert set(script.times_sent.values()) == {1}


def test_a_worker_without_time_left_gives_back_what_it_has_not_begun(settings, clock, script):
    configure(settings, BATCH_SIZE=1)
    pending(4)

    def answer_once_slowly(request):
        clock.advance(107)
        script.answer = lambda request: (_ for _ in ()).throw(KeyboardInterrupt)
        return 200

    script.answer = answer_once_slowly
    with pytest.raises(KeyboardInterrupt):
        deliver_due()
    # The first was sent; 13 s of its lease were not enough for another, so the others were claimed anew.
    assert statuses() == {"sent": 1, "pending": 3}
    assert SendLogEntry.objects.filter(live_claim(clock.ms)).count() == 1


def test_a_lease_too_short_for_one_request_delivers_all_the_same(settings, script):
    configure(settings, LEASE=5, BATCH_SIZE=2)
    pending(5)
    assert deliver_due() == DeliveryReport(requests=3, sent=5)


# One after the other


@pytest.mark.parametrize(("takes", "stored_before"), [(0.06, [0, 2, 4]), (0.03, [0, 0, 4]), (0, [0, 0, 0])])
def test_answers_are_stored_within_50_ms_those_of_a_far_vendor_at_once(settings, clock, script, takes, stored_before):
    configure(settings, BATCH_SIZE=2)
    pending(6)
    seen = []

    def answer(request):
        seen.append(statuses()["sent"])
        clock.advance(takes)
        return 200

    script.answer = answer
    deliver_due()
    assert seen == stored_before
    assert statuses() == {"sent": 6}


def test_interrupted_in_the_middle_it_keeps_what_was_sent_and_gives_back_the_rest(settings, clock, script):
    configure(settings, BATCH_SIZE=1)
    first, second, third = pending(3)

    def answer(request):
        if len(script.requests) == 2:
            raise KeyboardInterrupt
        return 200

    script.answer = answer
    with pytest.raises(KeyboardInterrupt):
        deliver_due()
    for entry in (first, second, third):
        entry.refresh_from_db()
    assert first.status == "sent"
    assert (third.claim, third.due_at) == (None, 0)
    # Nobody knows what became of the second: it is tried again when its lease is over.
    assert second.claim is not None
    script.answer = lambda request: 200
    assert deliver_due().sent == 1
    clock.advance(120)
    assert deliver_due().sent == 1
    assert statuses() == {"sent": 3}


def test_a_worker_that_is_stopped_finishes_its_request_and_gives_back_the_rest(settings, clock, script):
    configure(settings, BATCH_SIZE=1)
    pending(5)
    with Delivery("default", stopping=lambda: len(script.requests) == 2) as delivery:
        assert delivery.run().sent == 2
    assert statuses() == {"sent": 2, "pending": 3}
    assert SendLogEntry.objects.due(clock.ms).filter(claim=None).count() == 3


def test_a_worker_that_is_stopped_before_its_first_request_begins_none(clock, script, monkeypatch):
    pending(5)
    stopped = []
    take = Claimer.take

    def stop_after_the_claim(self, **wanted):
        claim = take(self, **wanted)
        stopped.append(True)
        return claim

    monkeypatch.setattr(Claimer, "take", stop_after_the_claim)
    with Delivery("default", stopping=lambda: bool(stopped)) as delivery:
        assert delivery.run() == DeliveryReport()
    assert script.requests == []
    assert SendLogEntry.objects.filter(claim=None, due_at=0).count() == 5


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_nothing_is_sent(script):
    one()
    with transaction.atomic(), pytest.raises(RuntimeError):
        deliver_due()
    assert script.requests == []


def test_a_store_that_fails_for_good_ends_the_delivery_and_sends_nothing_more(settings, script, monkeypatch):
    configure(settings, BATCH_SIZE=1)
    pending(3)

    def fail(self, *args):
        raise ZeroDivisionError

    monkeypatch.setattr(SendLogQuerySet, "mark_sent", fail)
    with pytest.raises(ZeroDivisionError):
        deliver_due()
    assert SendLogEntry.objects.exclude(claim=None).count() == len(script.requests)


# Too old to be of use


def test_what_is_too_old_for_its_type_is_skipped_and_the_rest_sent(settings, clock, script):
    configure(settings, MAX_AGE={"addtocart": 3600})
    old, young, other = one(event_type="addtocart"), one(event_type="addtocart"), one()
    SendLogEntry.objects.exclude(pk=young.pk).update(created_at=clock.now - datetime.timedelta(seconds=3601))
    SendLogEntry.objects.filter(pk=young.pk).update(created_at=clock.now - datetime.timedelta(seconds=3600))
    assert deliver_due() == DeliveryReport(requests=2, sent=2, skipped=1)
    assert script.times_sent == {young.pk: 1, other.pk: 1}
    old.refresh_from_db()
    assert (old.status, old.reason, old.due_at, old.claim) == ("skipped", "expired", None, None)


def test_a_probe_that_is_too_old_leaves_the_probe_to_the_next(settings, clock, script):
    configure(settings, MAX_AGE={"addtocart": 60})
    old = one(event_type="addtocart", created_at=clock.now - datetime.timedelta(hours=1))
    young = one(event_type="addtocart")
    assert old.pk < young.pk
    endpoint_row(event_type="addtocart", consecutive_failures=1, paused_until=clock.now)
    assert deliver_due() == DeliveryReport(requests=1, sent=1, skipped=1)
    assert script.times_sent == {young.pk: 1}
    assert endpoint().is_open()


def test_without_time_zones_ages_and_leases_hold_as_well(settings, script):
    settings.USE_TZ = False
    configure(settings, MAX_AGE={"addtocart": 3600})
    one(event_type="addtocart", created_at=timezone.now() - datetime.timedelta(seconds=3601))
    one()
    assert deliver_due() == DeliveryReport(requests=1, sent=1, skipped=1)


# A backend of the project's own


def test_a_backend_that_raises_is_tried_again_and_its_text_is_told_nowhere(script, caplog):
    entry = one()

    def answer(request):
        raise LookupError("canary@example.com")

    script.answer = answer
    assert deliver_due() == DeliveryReport(requests=1, retried=1)
    entry.refresh_from_db()
    assert (entry.status, entry.attempts, entry.reason) == ("pending", 0, "backend failed: LookupError")
    assert "tests.support.delivering.ScriptedBackend raised LookupError" in caplog.text
    assert "canary" not in caplog.text


def test_what_a_backend_gives_as_reason_is_kept(script):
    entry = one()
    script.answer = lambda request: DeliveryError("timed out")
    deliver_due()
    entry.refresh_from_db()
    assert (entry.reason, entry.response_status) == ("timed out", None)


@pytest.mark.parametrize("given", [None, "200", Reply("200"), Reply(None), Reply(True), Reply(100_000), Reply(-1)])
def test_a_backend_that_gives_no_answer_is_tried_again_as_one_that_raises(script, monkeypatch, given):
    entry = one()
    monkeypatch.setattr(ScriptedBackend, "send", lambda self, request: given)
    assert deliver_due() == DeliveryReport(requests=1, retried=1)
    entry.refresh_from_db()
    assert (entry.status, entry.attempts, entry.reason) == ("pending", 0, "backend failed: TypeError")


def test_a_backend_may_give_retry_after_as_a_number(script, clock):
    one()
    script.answer = lambda request: Reply(429, 30)
    deliver_due()
    assert endpoint().paused_until == clock.ms + 30_000


def test_reports_add_up():
    both = DeliveryReport(1, 2, 3, 4, 5) + DeliveryReport(10, 20, 30, 40, 50)
    assert both == DeliveryReport(requests=11, sent=22, retried=33, failed=44, skipped=55)


# Orders that come while a backlog is worked off


def test_new_orders_go_before_a_backlog_of_a_slow_vendor(settings, clock, script):
    configure(settings, BATCH_SIZE=1)
    backlog, new = pending(12), []

    def answer(request):
        clock.advance(1)
        if len(script.requests) == 4:
            new.append(one())
        return 200

    script.answer = answer
    deliver_due(limit=12)
    order = [request.entry_ids[0] for request in script.requests]
    assert order.index(new[0].pk) <= 5
    assert order[:4] == [entry.pk for entry in backlog[:4]]


def test_a_fresh_order_does_not_wait_for_suspects(settings, clock, script):
    configure(settings, BATCH_SIZE=1)
    suspects, fresh = pending(10, batch_limit=1, due_at=clock.now), []

    def answer(request):
        clock.advance(1)
        if len(script.requests) == 2:
            fresh.append(one())
        return 200

    script.answer = answer
    deliver_due()
    order = [request.entry_ids[0] for request in script.requests]
    assert order.index(fresh[0].pk) == 2
    assert sorted(order) == sorted(entry.pk for entry in [*suspects, *fresh])


# Frozen, and what was lost meanwhile


def test_a_worker_frozen_for_longer_than_its_lease_begins_nothing(clock, script, monkeypatch):
    entry = one()
    take, frozen = Claimer.take, []

    def freeze_after_the_claim(self, **wanted):
        claim = None if frozen else take(self, **wanted)
        frozen.append(clock.advance(121))
        return claim

    monkeypatch.setattr(Claimer, "take", freeze_after_the_claim)
    assert deliver_due() == DeliveryReport()
    assert script.requests == []
    entry.refresh_from_db()
    assert (entry.status, entry.claim, entry.due_at) == ("pending", None, 0)


def test_what_was_forgotten_after_the_claim_is_not_sent(settings, clock, script):
    configure(settings, BATCH_SIZE=1)
    first, second, third = pending(3)

    def answer(request):
        clock.advance(2)
        if request.entry_ids == (first.pk,):
            SendLogEntry.objects.filter(pk=second.pk).forget()
        return 200

    script.answer = answer
    assert deliver_due().sent == 2
    assert script.times_sent == {first.pk: 1, third.pk: 1}


def test_of_a_request_what_was_forgotten_is_left_out(settings, clock, script):
    configure(settings, BATCH_SIZE=2)
    entries = pending(4)

    def answer(request):
        clock.advance(2)
        SendLogEntry.objects.filter(pk=entries[2].pk).forget()
        return 200

    script.answer = answer
    assert deliver_due().sent == 3
    assert script.sizes == [2, 1]


# An outage that began with one request


def test_suspects_rest_where_nothing_is_accepted(clock, script):
    pending(20)
    script.answer = lambda request: 503
    deliver_due()
    assert script.sizes == [20, 10, 10, 5]
    clock.advance(19)
    assert deliver_due() == DeliveryReport()
    clock.advance(2)
    assert deliver_due().requests == 1
    assert SendLogEntry.objects.filter(attempts=0, status="pending").count() == 20
    script.answer = lambda request: 200
    clock.advance(60)
    assert deliver_due().sent == 20


def test_suspects_that_rest_hold_up_no_fresh_order(clock, script):
    bad = pending(20)
    script.reject(*bad, status=500)
    deliver_due()
    fresh = one()
    assert deliver_due().sent == 1
    assert script.times_sent[fresh.pk] == 1
