from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from django_vt import dispatchers
from django_vt.dispatchers import _background, thread
from tests.support.delivering import Script, configure

THREAD = "django_vt.dispatchers.thread.ThreadDispatcher"


def delivery_threads() -> list[threading.Thread]:
    return [running for running in threading.enumerate() if running.name == "django-vt-default"]


def until_ended() -> None:
    for running in delivery_threads():
        running.join(5)
    assert delivery_threads() == []


def wake() -> None:
    dispatchers.wake("default")


class Hanging:
    """A vendor that answers when the test says so."""

    def __init__(self, script: Script) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()
        script.answer = self.answer

    def answer(self, request: object) -> int:
        self.asked.set()
        assert self.may_answer.wait(5)
        return 200


@pytest.fixture
def thread_dispatcher(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    configure(settings, DISPATCHER=THREAD)
    monkeypatch.setattr(_background, "LINGER", 0.0)
    thread._threads.forget()
    yield
    thread._threads.stop(5)
    until_ended()  # one that has found nothing left is not waited for by `stop`, and may still be closing
