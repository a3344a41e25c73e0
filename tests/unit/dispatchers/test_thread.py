from __future__ import annotations

import sys
import threading

import pytest
from django.db import connections

from django_vt import dispatchers
from django_vt.delivery.worker import Worker
from django_vt.dispatchers import _background, thread
from django_vt.models import SendLogEntry
from django_vt.testing import FakeVendor
from tests.support.delivering import configure, one, pending, statuses
from tests.support.ordering import PIXEL_COOKIE
from tests.unit.dispatchers.threads import Hanging, delivery_threads, thread_dispatcher, until_ended, wake  # noqa: F401 - a fixture is among them

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("thread_dispatcher")]


def test_a_wake_delivers_and_the_thread_ends_when_nothing_is_pending(script):
    pending(3)
    wake()
    until_ended()
    assert statuses() == {"sent": 3}
    assert thread._threads._running == {}


def test_the_next_event_starts_it_again(script):
    for _ in range(2):
        one()
        wake()
        until_ended()
    assert statuses() == {"sent": 2}


@pytest.mark.parametrize("whose", ["its own", "a receiver's"])
def test_it_closes_its_connections(whose, empty_database, script):
    """A receiver of `event_sent` may query the shop's other database."""
    alias = "default" if whose == "its own" else empty_database
    used = []

    def answer(request):
        connections[alias].ensure_connection()
        used.append(connections[alias])
        return 200

    script.answer = answer
    one()
    wake()
    until_ended()
    assert used[0].connection is None
    assert used[0] is not connections[alias]


def test_asleep_it_keeps_no_connection(script):
    """In an outage it sleeps for hours: of a pool, or of what the server allows, it would keep one from the shop."""
    closed, used = threading.Event(), []

    def answer(request):
        used.append(connections["default"])
        return 503

    script.answer = answer
    close = Worker.close

    def close_and_tell(self):
        close(self)
        closed.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worker, "close", close_and_tell)
        one()
        wake()
        assert closed.wait(5)
        assert len(delivery_threads()) == 1
        assert used[0].connection is None


def test_one_order_after_another_is_sent_over_the_same_connections(script, monkeypatch):
    """A busy shop would open one to the database and one to the vendor for nearly every order."""
    monkeypatch.setattr(_background, "LINGER", 60.0)
    used, answered = [], threading.Event()

    def answer(request):
        used.append((connections["default"].connection, threading.current_thread()))
        answered.set()
        return 200

    script.answer = answer
    for _ in range(3):
        answered.clear()
        one()
        wake()
        assert answered.wait(5)
    assert len(set(used)) == 1


@pytest.fixture
def imported_by(settings, tmp_path, monkeypatch):
    """The threads that have imported the backend."""
    by = []
    (tmp_path / "backend_of_the_shop.py").write_text(
        "import threading\n"
        "from tests.support.delivering import ScriptedBackend\n"
        "threading.imported_by.append(threading.current_thread())\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(threading, "imported_by", by, raising=False)
    configure(settings, BACKEND="backend_of_the_shop.ScriptedBackend")
    yield by
    sys.modules.pop("backend_of_the_shop", None)


def test_the_backend_is_imported_before_the_thread_is_there(script, imported_by):
    """A process that forks while another thread imports leaves its child a lock that nobody opens any more."""
    one()
    wake()
    until_ended()
    assert imported_by == [threading.current_thread()]
    assert script.sizes == [1]


def test_a_wake_returns_while_the_vendor_still_holds_the_request(script):
    vendor = Hanging(script)
    one()
    wake()
    assert vendor.asked.wait(5)
    [running] = delivery_threads()
    one()
    wake()
    assert delivery_threads() == [running]
    assert running.daemon
    vendor.may_answer.set()
    until_ended()
    assert statuses() == {"sent": 2}


def test_a_wake_for_what_is_due_later_keeps_it_sleeping_and_a_stop_ends_it(script):
    script.answer = lambda request: 503
    one()
    wake()
    [running] = delivery_threads()
    thread._threads.stop(5)
    running.join(5)
    assert not running.is_alive()
    assert statuses() == {"pending": 1}


def test_threads_that_wake_at_once_start_one():
    together = threading.Barrier(8)
    started = []

    def wake_together():
        together.wait(5)
        wake()
        started.extend(delivery_threads())

    one()
    wakers = [threading.Thread(target=wake_together) for _ in range(8)]
    for waker in wakers:
        waker.start()
    for waker in wakers:
        waker.join(5)
    until_ended()
    assert statuses() == {"sent": 1}


def test_who_comes_second_to_start_it_wakes_it(script):
    vendor = Hanging(script)
    one()
    wake()
    assert vendor.asked.wait(5)
    thread._threads.start("default")
    assert len(delivery_threads()) == 1
    vendor.may_answer.set()
    until_ended()


def test_at_the_end_of_a_process_the_request_in_hand_is_waited_for(settings, script):
    configure(settings, BATCH_SIZE=1)
    pending(2)
    vendor = Hanging(script)
    wake()
    assert vendor.asked.wait(5)
    threading.Timer(0.05, vendor.may_answer.set).start()
    thread._threads.stop()
    assert statuses() == {"sent": 1, "pending": 1}
    assert SendLogEntry.objects.filter(claim=None).count() == 2


def test_at_the_end_of_a_process_a_vendor_that_hangs_is_not_waited_for_longer(script):
    vendor = Hanging(script)
    one()
    wake()
    assert vendor.asked.wait(5)
    thread._threads.stop(0)
    assert len(delivery_threads()) == 1
    vendor.may_answer.set()


def test_a_thread_that_fails_is_told_of_and_the_next_wake_starts_another(script, caplog, monkeypatch):
    one()

    def fail(self):
        raise LookupError("canary@example.com")

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "run_once", fail)
        wake()
        until_ended()
    assert "The thread django-vt-default ended: LookupError" in caplog.text
    assert "canary" not in caplog.text
    wake()
    until_ended()
    assert statuses() == {"sent": 1}


# The first request


def test_a_process_s_first_request_starts_it_and_makes_no_query(client, script, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(dispatchers.first_request, "is_served", False)
    pending(2)
    with django_assert_num_queries(0):
        client.get("/")
    until_ended()
    assert statuses() == {"sent": 2}
    one()
    client.get("/")
    assert delivery_threads() == []


# Orders


@pytest.fixture
def buyer(client):
    client.cookies["_vt_user"] = PIXEL_COOKIE
    return client


def test_an_order_does_not_wait_for_a_vendor_that_hangs(buyer, script):
    vendor = Hanging(script)
    assert buyer.post("/buy/", {"number": "100023"}).status_code == 200
    assert vendor.asked.wait(5)
    entry = SendLogEntry.objects.get()
    assert (entry.status, entry.claim is not None) == ("pending", True)
    vendor.may_answer.set()
    until_ended()
    assert statuses() == {"sent": 1}


@pytest.mark.parametrize(
    ("down", "reason"),
    [(FakeVendor.refuse, "unreachable"), (lambda vendor: vendor.misbehave(answer_500()), "answered: 500")],
    ids=["refuses", "answers 500"],
)
def test_an_order_succeeds_while_the_vendor_is_down_and_the_entry_says_why(buyer, fake_vendor, down, reason):
    down(fake_vendor)
    assert buyer.post("/buy/", {"number": "100023"}).status_code == 200
    [running] = delivery_threads()
    thread._threads.stop(5)
    running.join(5)
    entry = SendLogEntry.objects.get()
    if not entry.reason:  # stopped before it began
        from django_vt.delivery import deliver_due

        deliver_due()
        entry.refresh_from_db()
    # Nothing was accepted since, so that no attempt counts.
    assert (entry.status, entry.reason, entry.attempts) == ("pending", reason, 0)


def answer_500():
    from django_vt.testing import Answer

    return Answer(500)
