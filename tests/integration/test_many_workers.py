"""Several processes on one send log. Nothing is mocked: the database, the processes and the vendor are real."""

from __future__ import annotations

import signal
from collections import Counter

import pytest
from django.db import connection
from django.utils import timezone

from django_vt.conf import settings
from django_vt.delivery import deliver_due
from django_vt.delivery.clock import database_now
from django_vt.models import SendLogEntry
from django_vt.models.send_log import live_claim
from django_vt.testing import Answer, Hang, Misbehaviour
from tests.support import processes
from tests.support.delivering import configure, one, pending, statuses

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process, pytest.mark.newest]

HTTP = {"BACKEND": "django_vt.backends.http.HttpBackend", "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}
WORKERS = 4

WORK = """
from django_vt.models import SendLogEntry
from django_vt.delivery.worker import Worker
print("ready", flush=True)
input()
worker = Worker("default")
while SendLogEntry.objects.earliest_due() is not None:
    worker.run_once()
worker.close()
"""


def number_of_entries() -> int:
    # On SQLite workers take turns at writing: many say no more than some.
    return 2_000 if connection.vendor == "sqlite" else 20_000


class OnceThereAreTwo(Misbehaviour):
    """Answers as usual, but the first worker not before another has come: else it could do all by itself."""

    def __init__(self, vendor):
        self._vendor = vendor

    def treat(self, exchange):
        for _time in range(100):
            if self._vendor.connections > 1:
                break
            exchange.pause(0.05)
        Answer().treat(exchange)


def test_four_workers_send_every_entry_exactly_once(process_environment, fake_vendor):
    now, count = timezone.now(), number_of_entries()
    SendLogEntry.objects.bulk_create(
        (
            SendLogEntry(
                account_id="acc123", event_type="wishlist", identity="vtsid:1", created_at=now, due_at=0,
                payload=f'{{"_vtsid":"1","type":"wishlist","number":{number}}}',
            )
            for number in range(count)
        ),
        batch_size=2_000,
    )  # fmt: skip
    fake_vendor.misbehave(OnceThereAreTwo(fake_vendor))
    workers = [
        processes.start(WORK, process_environment, ENDPOINT=fake_vendor.endpoint, **HTTP) for _ in range(WORKERS)
    ]
    outputs = run_together(workers)
    assert [process.returncode for process in workers] == [0] * WORKERS, outputs
    assert Counter(event["number"] for event in fake_vendor.received_events) == dict.fromkeys(range(count), 1)
    assert statuses() == {"sent": count}
    assert SendLogEntry.objects.filter(attempts__gt=0).count() == 0
    # More than one had a share.
    assert fake_vendor.connections > 1


def run_together(workers: list) -> list[str]:
    try:
        for process in workers:
            assert process.stdout.readline() == "ready\n"
        for process in workers:
            process.stdin.write("\n")
            process.stdin.flush()
        return [process.communicate(timeout=80)[1] for process in workers]
    finally:
        for process in workers:
            process.kill()
            process.wait()


@pytest.mark.parametrize("others_result", ["sent", "pending"])
def test_a_worker_stopped_for_longer_than_its_lease_changes_nothing(
    process_environment, fake_vendor, settings, others_result
):
    """SIGSTOP, as a frozen container: when it goes on, the outcome that another has stored meanwhile stands."""
    fake_vendor.misbehave(Hang(), times=1)
    entry = one()
    frozen = processes.start(
        'from django_vt import delivery\ninput()\ndelivery.deliver_due()',
        process_environment, ENDPOINT=fake_vendor.endpoint, LEASE=1, TIMEOUT=(0.2, 0.3), **HTTP,
    )  # fmt: skip
    try:
        assert frozen.stdin is not None
        frozen.stdin.write("\n")
        frozen.stdin.flush()
        fake_vendor.wait_for(lambda vendor: len(vendor.requests) == 1, timeout=20)
        frozen.send_signal(signal.SIGSTOP)
        entry.refresh_from_db()
        claim = entry.claim
        assert claim is not None
        fake_vendor.behave()
        if others_result == "pending":
            fake_vendor.refuse()
        configure(settings, LEASE=2)
        while entry.claim == claim:
            deliver_due()
            entry.refresh_from_db()
        newer = SendLogEntry.objects.values().get()
        assert newer["status"] == others_result
        frozen.send_signal(signal.SIGCONT)
        _out, errors = frozen.communicate(timeout=20)
    finally:
        frozen.kill()
        frozen.wait()
    assert frozen.returncode == 0, errors
    assert "taken over by another worker" in errors
    assert SendLogEntry.objects.values().get() == newer


def test_workers_in_one_process_share_the_work_as_well(script):
    pending(100)
    assert deliver_due(limit=50).sent == deliver_due(limit=50).sent == 50
    assert set(script.times_sent.values()) == {1}


def test_a_lease_taken_while_a_statement_waited_for_its_lock_is_nobody_elses(script):
    """The time of the statement was read before the wait, so the lease ends later than it could have at that time."""
    entry = one()
    before = database_now("default")
    SendLogEntry.objects.filter(pk=entry.pk).update(claim="a" * 32, due_at=before + 20_000 + int(settings.LEASE * 1000))
    assert SendLogEntry.objects.all().bring_back(before, 36_000) == 0
    assert SendLogEntry.objects.filter(live_claim(before)).count() == 1
    assert SendLogEntry.objects.all().resend("acc123", before) == 0
