from __future__ import annotations

import itertools
import threading

import pytest
from django.db import connections

from django_vt.delivery import DeliveryReport
from django_vt.delivery.claim import Claimer
from django_vt.delivery.deliver import Delivery, Places
from django_vt.models import Endpoint, SendLogEntry
from django_vt.protocol.outcome import Reply
from tests.support.delivering import configure, endpoint, pending

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("concurrency", [1, 4])
def test_as_many_requests_are_in_flight_as_allowed_and_only_one_thread_queries(settings, script, concurrency):
    configure(settings, BATCH_SIZE=1)
    pending(8)
    together = threading.Barrier(concurrency)
    own = threading.current_thread()

    def answer(request):
        # Breaks if fewer are ever in flight at once.
        together.wait(5)
        assert threading.current_thread() is own or connections["default"].connection is None
        return 200

    script.answer = answer
    with Delivery("default", concurrency=concurrency) as delivery:
        assert delivery.run() == DeliveryReport(requests=8, sent=8)
    assert [thread for thread in threading.enumerate() if thread.name.startswith("django-vt-send")] == []


def test_never_more_are_in_flight_than_allowed(settings, script):
    configure(settings, BATCH_SIZE=1)
    pending(12)
    in_flight, most = set(), []
    together = threading.Barrier(3)

    def answer(request):
        in_flight.add(request.entry_ids)
        most.append(len(in_flight))
        together.wait(5)
        in_flight.discard(request.entry_ids)
        return 200

    script.answer = answer
    with Delivery("default", concurrency=3) as delivery:
        delivery.run()
    assert max(most) == 3


def test_requests_that_fail_together_count_once(settings, clock, script):
    configure(settings, BATCH_SIZE=1)
    pending(4)
    together = threading.Barrier(4)

    def answer(request):
        together.wait(5)
        return 503

    script.answer = answer
    with Delivery("default", concurrency=4) as delivery:
        delivery.run()
    assert endpoint().consecutive_failures == 1
    assert endpoint().paused_until == clock.ms + 5_000
    assert set(SendLogEntry.objects.values_list("attempts", flat=True)) == {0}


def test_a_success_in_flight_beside_a_failure_ends_no_pause(settings, clock, script):
    configure(settings, BATCH_SIZE=1)
    _refused, accepted = pending(2)
    together, failed = threading.Barrier(2), threading.Event()

    def answer(request):
        together.wait(5)
        if request.entry_ids == (accepted.pk,):
            failed.wait(5)
            return 200
        return Reply(429, "600")

    script.answer = answer
    tell = Endpoint.pause

    def pause(self, *args, **options):
        failed.set()
        return tell(self, *args, **options)

    with pytest.MonkeyPatch.context() as patch, Delivery("default", concurrency=2) as delivery:
        patch.setattr(Endpoint, "pause", pause)
        delivery.run()
    accepted.refresh_from_db()
    assert accepted.status == "sent"
    assert endpoint().is_paused(clock.ms)


@pytest.fixture
def _claims_of_two(settings):
    """With two requests in flight: one entry a request, and a lease that is enough for one after another."""
    configure(settings, BATCH_SIZE=1, TIMEOUT=(5, 5), LEASE=20)


@pytest.mark.usefixtures("_claims_of_two")
def test_the_next_claim_begins_while_the_last_request_of_one_is_on_its_way(script):
    pending(3)
    begun, together = itertools.count(1), threading.Barrier(2)

    def answer(request):
        # The second hangs until the third, which is another claim's, is begun.
        if next(begun) > 1:
            together.wait(5)
        return 200

    script.answer = answer
    with Delivery("default", concurrency=2) as delivery:
        assert delivery.run() == DeliveryReport(requests=3, sent=3)


def test_the_next_claim_is_taken_before_what_waits_is_too_little_to_fill_the_places(settings, script, monkeypatch):
    """Taken only once an answer has come, it would keep the others that come meanwhile waiting."""
    configure(settings, BATCH_SIZE=1)
    monkeypatch.setattr("django_vt.delivery.claim.FIRST_CLAIM", 3)
    monkeypatch.setattr("django_vt.delivery.claim.LARGEST_CLAIM", 3)
    pending(6)
    taken, two_are_taken = itertools.count(1), threading.Event()
    honest_take = Claimer.take

    def take(self, **options):
        claim = honest_take(self, **options)
        if next(taken) == 2:
            two_are_taken.set()
        return claim

    def answer(request):
        return 200 if two_are_taken.wait(5) else 500

    script.answer = answer
    monkeypatch.setattr(Claimer, "take", take)
    with Delivery("default", concurrency=2) as delivery:
        assert delivery.run() == DeliveryReport(requests=6, sent=6)


@pytest.mark.usefixtures("_claims_of_two")
def test_a_pause_gives_back_what_waits_of_every_claim(clock, script):
    pending(8)
    together = threading.Barrier(2)

    def answer(request):
        together.wait(5)
        return 503

    script.answer = answer
    with Delivery("default", concurrency=2) as delivery:
        report = delivery.run()
    assert report.retried == report.requests
    assert report.requests <= 4
    assert not SendLogEntry.objects.filter(claim__isnull=False).exists()
    untouched = SendLogEntry.objects.filter(due_at=0, reason="")
    assert untouched.count() == 8 - report.requests


@pytest.mark.usefixtures("_claims_of_two")
def test_only_so_many_as_asked_for_are_taken_however_many_slots_are_free(script):
    entries = pending(7)
    with Delivery("default", concurrency=2) as delivery:
        assert delivery.run(limit=5) == DeliveryReport(requests=5, sent=5)
        rest = [entry.pk for entry in SendLogEntry.objects.filter(status="pending")]
        assert delivery.run(ids=rest[:1]) == DeliveryReport(requests=1, sent=1)
    assert SendLogEntry.objects.filter(status="sent").count() == len(entries) - 1


def test_where_nothing_more_is_due_that_is_asked_once_and_at_the_end(settings, clock, script, monkeypatch):
    """Not after each answer: of many in flight each would cost a look into the tables."""
    configure(settings, BATCH_SIZE=1)
    pending(2)
    gates, order, asked = [threading.Event(), threading.Event()], itertools.count(), []
    honest_wait, honest_take = Places.wait, Claimer.take

    def answer(request):
        gates[next(order)].wait(5)
        return 200

    def wait(self, in_flight, seconds):
        gates[2 - len(in_flight)].set()
        return honest_wait(self, in_flight, 5)

    def take(self, **options):
        claim = honest_take(self, **options)
        asked.append(claim is not None)
        return claim

    script.answer = answer
    monkeypatch.setattr(Places, "wait", wait)
    monkeypatch.setattr(Claimer, "take", take)
    with Delivery("default", concurrency=2) as delivery:
        assert delivery.run() == DeliveryReport(requests=2, sent=2)
    assert asked == [True, False, False]
