"""What processes that end, fork or are killed leave behind."""

from __future__ import annotations

import time

import pytest

from django_vt.delivery import deliver_due
from django_vt.models import SendLogEntry
from django_vt.testing import Answer, Hang
from tests.support import processes
from tests.support.delivering import statuses

pytestmark = [pytest.mark.process, pytest.mark.any_database, pytest.mark.ends]

MANUAL = "django_vt.dispatchers.manual.ManualDispatcher"


@pytest.fixture
def killed_before_delivery(process_environment, fake_vendor):
    """An order that was committed by a process that nothing was sent from."""
    process = processes.start(
        'order("100023"); print("committed", flush=True); input()',
        process_environment, ENDPOINT=fake_vendor.endpoint, DISPATCHER=MANUAL,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "committed\n"
    process.kill()
    process.communicate()
    assert (statuses(), fake_vendor.requests) == ({"pending": 1}, [])


@pytest.mark.usefixtures("killed_before_delivery")
def test_a_new_process_s_first_request_sends_what_a_killed_one_left(process_environment, fake_vendor):
    process = processes.start(
        'Client().get("/"); print("served", flush=True); input()', process_environment, ENDPOINT=fake_vendor.endpoint
    )
    try:
        fake_vendor.wait_for(1, timeout=20)
    finally:
        process.communicate("\n", timeout=20)
    assert [event["productId"] for event in fake_vendor.events] == ["100023"]


@pytest.mark.usefixtures("killed_before_delivery")
def test_deliver_due_sends_what_a_killed_process_left(fake_vendor):
    assert deliver_due().sent == 1
    assert len(fake_vendor.events) == 1


def test_what_was_under_way_when_its_process_was_killed_is_sent_after_the_lease(
    process_environment, fake_vendor, monkeypatch
):
    fake_vendor.misbehave(Hang(), times=1)
    process = processes.start('order("100023"); input()', process_environment, ENDPOINT=fake_vendor.endpoint)
    try:
        fake_vendor.wait_for(lambda vendor: len(vendor.requests) == 1, timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert deliver_due().requests == 0
    [entry] = SendLogEntry.objects.all()
    monkeypatch.setattr("django_vt.delivery.clock.read_milliseconds", lambda using: entry.due_at)
    assert deliver_due().sent == 1
    assert len(fake_vendor.events) == 1


def test_a_process_that_ends_waits_for_the_request_in_hand(process_environment, fake_vendor):
    fake_vendor.misbehave(Answer(delay=0.5))
    process = processes.start('order("100023"); input()', process_environment, ENDPOINT=fake_vendor.endpoint)
    try:
        fake_vendor.wait_for(lambda vendor: len(vendor.requests) == 1, timeout=20)
    finally:
        process.communicate("\n", timeout=20)
    assert process.returncode == 0
    assert statuses() == {"sent": 1}


def test_a_process_that_ends_does_not_wait_for_a_vendor_that_hangs(process_environment, fake_vendor):
    fake_vendor.misbehave(Hang())
    process = processes.start(
        'order("100023"); input()\nimport sys; sys.exit(7)', process_environment, ENDPOINT=fake_vendor.endpoint
    )
    try:
        fake_vendor.wait_for(lambda vendor: len(vendor.requests) == 1, timeout=20)
        began = time.monotonic()
    finally:
        process.communicate("\n", timeout=20)
    assert process.returncode == 7
    assert time.monotonic() - began < 8
    assert statuses() == {"pending": 1}


def test_a_forked_child_starts_a_thread_of_its_own(process_environment, fake_vendor):
    """As gunicorn with preload forks: the parent's thread and its lock are not the child's."""
    told = processes.run(
        """
import os, threading
from django.db import connections
from django_vt import dispatchers
from django_vt.dispatchers import _background, thread

_background.LINGER = 0.0

def until_ended():
    for running in threading.enumerate():
        if running.name == "django-vt-default":
            running.join(10)

order("of the parent")
Client().get("/")
until_ended()
connections.close_all()
thread._threads._changed.acquire()
child = os.fork()
if child == 0:
    assert not dispatchers.first_request.is_served
    assert thread._threads._running == {}
    order("of the child")
    until_ended()
    connections.close_all()
    os._exit(0)
thread._threads._changed.release()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""",
        process_environment,
        ENDPOINT=fake_vendor.endpoint,
    )
    assert told == "0\n"
    assert [event["productId"] for event in fake_vendor.events] == ["of the parent", "of the child"]
