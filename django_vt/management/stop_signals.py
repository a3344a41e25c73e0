"""Handling SIGTERM and SIGINT as a wish to stop, not as an exception in the middle of a request."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType
from typing import Any

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """In the block, the first SIGTERM or SIGINT calls `stop`; a second one has the effect that it had before the block.

    `stop` is called in another thread, because a handler may interrupt the main thread while that holds the lock that
    `stop` needs. Only the main thread may set handlers; in other threads, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # SimpleQueue, because its put() is reentrant and so may be called in a signal handler.
    calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
    listener = threading.Thread(target=_call_first, args=(calls,), name="django-vt-stop", daemon=True)
    listener.start()
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}

    def wish(number: int, frame: FrameType | None) -> None:
        _restore(before)
        calls.put(stop)

    try:
        for number in STOP_SIGNALS:
            signal.signal(number, wish)
        yield
    finally:
        _restore(before)
        calls.put(_nothing)
        listener.join()


def _call_first(calls: SimpleQueue[Callable[[], None]]) -> None:
    calls.get()()


def _restore(handlers: Mapping[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _nothing() -> None:
    """Sent to the listener to end it."""
