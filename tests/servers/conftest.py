"""What tests with real queues share: processes that end with the test, and the shop's side of a queue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery, _state
from django.conf import LazySettings

from django_vt import dispatchers
from django_vt.dispatchers.celery import publisher
from django_vt.testing import FakeVendor
from tests.servers.brokers import BROKERS, Broker

Start = Callable[..., "Process"]


def until(condition: Callable[[], bool], timeout: float = 30.0) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


class Process:
    """A worker, and what it has said so far."""

    def __init__(self, log: Path, environment: dict[str, str], *arguments: str) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def wait_until(self, predicate: Callable[[str], bool]) -> None:
        """Wait for what it says."""

        def holds() -> bool:
            assert self._process.poll() is None, self.said
            return predicate(self.said)

        until(holds)

    def kill(self) -> None:
        """SIGKILL, to its children too."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def end(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise


@pytest.fixture(autouse=True)
def _process_has_served_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request of a process is a wake too: these tests count wakes."""
    monkeypatch.setattr(dispatchers.first_request, "is_served", True)


@pytest.fixture
def start(process_environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts `python *arguments` with the environment, and ends it with the test."""
    processes: list[Process] = []

    def start(*arguments: str, **environment: str) -> Process:
        log = tmp_path / f"process-{len(processes)}.log"
        processes.append(Process(log, {**process_environment, **environment}, *arguments))
        return processes[-1]

    yield start
    for process in processes:
        process.end()


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """One of BROKERS, by its name as the fixture's parameter."""
    with BROKERS[request.param]() as broker:
        yield broker


@pytest.fixture
def shop(broker: Broker, fake_vendor: FakeVendor, settings: LazySettings, transactional_db: None) -> Iterator[Celery]:
    """This process as the shop's web process: it dispatches through the broker."""
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": "django_vt.dispatchers.celery.CeleryDispatcher"}
    default, current = _state.default_app, _state._tls.current_app
    app = Celery("shop", broker=broker.url, set_as_current=False)
    app.conf.update(broker_transport_options=broker.options, task_default_queue=broker.queue)
    app.set_default()
    _state._tls.current_app = None
    yield app
    publisher.finish(30)
    publisher.forget()
    app.close()
    _state.default_app, _state._tls.current_app = default, current


@pytest.fixture
def start_worker(start: Start, broker: Broker, fake_vendor: FakeVendor) -> Start:
    """Starts a Celery worker: `start_worker("--pool=solo")`."""

    def start_worker(*options: str) -> Process:
        return start(
            *("-m", "celery", "--app=tests.celery_project.app", "worker", "--loglevel=INFO", *options),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            DJANGO_SETTINGS_MODULE="tests.celery_project.settings",
            VT_ENDPOINT=fake_vendor.endpoint,
            **broker.environment,
        )

    return start_worker
