"""`send_pending` as cron, systemd and people start and stop it: a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from django_vt.models import SendLogEntry
from django_vt.testing import FakeVendor
from tests.support.delivering import one, pending, statuses

STOPPING = "Stopping: the requests in hand are finished, the rest is given back.\n"
TIMEOUT = 30  # seconds: far more than anything here takes
SETTINGS = """
from tests.settings import *

DJANGO_VT = {{"ACCOUNT_ID": "acc123", "ENDPOINT": "{endpoint}", "BATCH_SIZE": 1}}
"""

Start: TypeAlias = "Callable[..., subprocess.Popen[str]]"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process, pytest.mark.any_database, pytest.mark.ends]


class Hook:
    """What the stand-in vendor does with each request, before it answers."""

    def __init__(self) -> None:
        self.wait: Callable[[], object] = lambda: None


@pytest.fixture
def hook() -> Hook:
    return Hook()


@pytest.fixture
def vendor(hook: Hook) -> Iterator[FakeVendor]:
    with FakeVendor(on_request=lambda request: hook.wait()) as vendor:
        yield vendor


class Gate:
    """Holds a request in hand until it is let go."""

    def __init__(self, hook: Hook) -> None:
        self.reached, self._open = threading.Event(), threading.Event()
        hook.wait = self._hold

    def _hold(self) -> None:
        self.reached.set()
        self._open.wait(TIMEOUT)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(hook: Hook) -> Gate:
    return Gate(hook)


@pytest.fixture
def start(vendor: FakeVendor, process_environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts the command against the stand-in vendor; what still runs in the end is killed."""
    (tmp_path / "settings_of_the_process.py").write_text(SETTINGS.format(endpoint=vendor.endpoint))
    environment = {
        **process_environment,
        "DJANGO_SETTINGS_MODULE": "settings_of_the_process",
        "PYTHONPATH": f"{tmp_path}:{process_environment['PYTHONPATH']}",
    }
    running = []

    def send_pending(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "django", "send_pending", *arguments]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        running.append(process)
        return process

    yield send_pending
    for process in running:
        process.kill()
        process.communicate()


def test_one_run_sends_what_a_killed_process_left(start, vendor):
    pending(3)
    process = start()
    printed, _ = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, printed) == (0, "3 sent, 0 to be tried again, 0 failed, 0 skipped, in 3 requests.\n")
    assert len(vendor.events) == 3
    assert vendor.violations == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_sends_what_comes_and_ends_cleanly_with_a_signal(start, vendor, number):
    process = start("--forever")
    assert process.stdout.readline() == 'Sending what is due on the database "default" until SIGTERM or Ctrl-C.\n'
    process.send_signal(number)
    rest, _ = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, rest) == (0, f"{STOPPING}Stopped.\n")


def test_a_worker_told_to_stop_finishes_the_request_in_hand_and_gives_back_the_rest(start, vendor, gate):
    pending(5)
    process = start("--forever")
    assert gate.reached.wait(TIMEOUT)
    process.send_signal(signal.SIGTERM)
    assert STOPPING in iter(process.stdout.readline, "")
    gate.open()
    process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0
    assert statuses() == {"sent": 1, "pending": 4}
    assert not SendLogEntry.objects.filter(claim__isnull=False).exists()
    assert len(vendor.requests) == 1


def test_a_worker_sends_with_several_requests_in_flight(start, vendor, hook):
    pending(4)
    hook.wait = threading.Barrier(4, timeout=TIMEOUT).wait
    process = start("--forever", "--concurrency=4")
    vendor.wait_for(4, timeout=TIMEOUT)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0
    assert statuses() == {"sent": 4}


def test_a_single_run_too_ends_cleanly_with_a_signal(start, gate):
    one()
    process = start()
    assert gate.reached.wait(TIMEOUT)
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == STOPPING
    gate.open()
    printed, _ = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, printed.splitlines()[0][:7]) == (0, "1 sent,")
