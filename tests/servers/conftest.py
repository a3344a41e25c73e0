"""What tests with real queues share: processes that end with the test, and the shop's side of a queue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from celery import Celery, _state
from django.conf import LazySettings

from django_vt import dispatchers
from django_vt.dispatchers.celery import CeleryDispatcher
from django_vt.testing import FakeVendor
from tests.servers.brokers import BROKERS, Broker
from tests.support.process_output import ProcessOutput

PATIENCE = 60.0  # seconds, after which something is taken not to come

Start = Callable[..., "Process"]


class Process:
    """A worker, and what it has said so far."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        self._output = ProcessOutput(self._process.stdout)

    @property
    def said(self) -> str:
        return self._output.text

    def wait_until(self, predicate: Callable[[str], object]) -> None:
        """Wait for what it says, or for what it has done when it says something."""
        assert self._output.wait_until(predicate, PATIENCE), self.said

    def kill(self) -> None:
        """SIGKILL, to its children too."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._output.close()

    def end(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._output.close()


@pytest.fixture(autouse=True)
def _process_has_served_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request of a process is a wake too: these tests count wakes."""
    monkeypatch.setattr(dispatchers.first_request, "is_served", True)


@pytest.fixture
def start(process_environment: dict[str, str]) -> Iterator[Start]:
    """Starts `python *arguments` with the environment, and ends it with the test."""
    processes: list[Process] = []

    def start(*arguments: str, **environment: str) -> Process:
        processes.append(Process({**process_environment, **environment}, *arguments))
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
    CeleryDispatcher.publishers.stop(PATIENCE)
    CeleryDispatcher.publishers.forget()
    app.close()
    _state.default_app, _state._tls.current_app = default, current


@pytest.fixture
def start_worker(start: Start, broker: Broker, fake_vendor: FakeVendor) -> Start:
    """Starts a Celery worker: `start_worker("--pool=solo")`."""

    def start_worker(*options: str) -> Process:
        return start(
            *("-m", "celery", "--app=tests.projects.celery.app", "worker", "--loglevel=INFO", *options),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            DJANGO_SETTINGS_MODULE="tests.projects.celery.settings",
            VT_ENDPOINT=fake_vendor.endpoint,
            **broker.environment,
        )

    return start_worker
