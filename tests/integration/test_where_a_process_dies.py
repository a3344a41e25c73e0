"""The table and the picture of docs/explanation/guarantees.md: a process is killed at each of its points.

A real process kills itself there, as `kill -9` does: no `finally`, no clean-up. Then another looks for what it left.
"""

from __future__ import annotations

import signal

import pytest

from django_vt.delivery import deliver_due
from django_vt.models import SendLogEntry
from tests.support import processes
from tests.support.delivering import statuses

pytestmark = [pytest.mark.process, pytest.mark.ends]

IMMEDIATE = "django_vt.dispatchers.immediate.ImmediateDispatcher"
BODY = """
import os, signal
from django_vt import dispatchers
from django_vt.backends.http import HttpBackend
from django_vt.events import Confirmation
from django_vt.signals import event_sent

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

send = HttpBackend.send
{arrangement}
with transaction.atomic():
    track(Confirmation("100023", "234.12", []), identity=Identity(vtsid="1"))
    {in_the_transaction}
"""


@pytest.fixture
def die_at(process_environment, fake_vendor):
    """Place an order in a process that kills itself where it is told to."""

    def die_at(arrangement="", in_the_transaction=""):
        body = BODY.format(arrangement=arrangement, in_the_transaction=in_the_transaction)
        process = processes.start(body, process_environment, ENDPOINT=fake_vendor.endpoint, DISPATCHER=IMMEDIATE)
        _told, errors = process.communicate(timeout=30)
        assert process.returncode == -signal.SIGKILL, errors

    return die_at


def test_before_the_commit_there_is_neither_order_nor_event(die_at, fake_vendor):
    die_at(in_the_transaction="die()")
    assert statuses() == {}
    assert deliver_due().sent == 0
    assert fake_vendor.requests == []


def test_after_the_commit_the_event_is_due_at_once(die_at, fake_vendor):
    die_at("dispatchers.wake = die")
    assert (statuses(), len(fake_vendor.requests)) == ({"pending": 1}, 0)
    assert deliver_due().sent == 1
    assert fake_vendor.accepted_orders == {"100023": 1}


def test_after_the_claim_it_is_sent_once_when_the_lease_has_ended(die_at, fake_vendor, monkeypatch):
    die_at("HttpBackend.send = die")
    assert (statuses(), len(fake_vendor.requests)) == ({"pending": 1}, 0)
    deliver_after_the_lease(monkeypatch)
    assert fake_vendor.accepted_orders == {"100023": 1}


def test_after_the_answer_it_is_sent_again_under_the_same_order_id(die_at, fake_vendor, monkeypatch):
    die_at("HttpBackend.send = lambda self, request: die(send(self, request))")
    assert (statuses(), fake_vendor.accepted_orders) == ({"pending": 1}, {"100023": 1})
    deliver_after_the_lease(monkeypatch)
    assert fake_vendor.accepted_orders == {"100023": 2}  # which the real one counts once


def test_after_the_note_nothing_follows(die_at, fake_vendor):
    die_at("event_sent.connect(die, weak=False)")
    assert (statuses(), fake_vendor.accepted_orders) == ({"sent": 1}, {"100023": 1})
    assert deliver_due().sent == 0
    assert fake_vendor.accepted_orders == {"100023": 1}


def deliver_after_the_lease(monkeypatch):
    """Nobody takes it before; then somebody does."""
    assert deliver_due().requests == 0
    [entry] = SendLogEntry.objects.all()
    monkeypatch.setattr("django_vt.delivery.clock.read_milliseconds", lambda using: entry.due_at)
    assert deliver_due().sent == 1
    assert statuses() == {"sent": 1}
