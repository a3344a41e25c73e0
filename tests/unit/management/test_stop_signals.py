from __future__ import annotations

import os
import signal
import threading

import pytest

from django_vt.management.stop_signals import stopped_by_signals


@pytest.fixture(autouse=True)
def handlers_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
    assert not [thread for thread in threading.enumerate() if thread.name == "django-vt-stop"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_to_stop_from_another_thread(number):
    stopped = threading.Event()
    threads = []

    def stop():
        threads.append(threading.current_thread())
        stopped.set()

    with stopped_by_signals(stop):
        os.kill(os.getpid(), number)
        assert stopped.wait(10)
    assert threads != [threading.main_thread()]
    assert len(threads) == 1


def test_a_signal_that_finds_the_lock_held_which_stop_needs_still_stops():
    lock, stopped = threading.Lock(), threading.Event()

    def stop():
        with lock:
            stopped.set()

    with stopped_by_signals(stop):
        with lock:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.getsignal(signal.SIGTERM)  # the handler has run by now, in the middle of this block
        assert stopped.wait(10)


def test_a_second_signal_has_its_usual_effect():
    def interrupt_twice():
        with stopped_by_signals(lambda: None):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(10)

    with pytest.raises(KeyboardInterrupt):
        interrupt_twice()


def test_without_a_signal_nothing_is_asked_to_stop():
    asked = threading.Event()
    with stopped_by_signals(asked.set):
        pass
    assert not asked.is_set()


def test_outside_the_main_thread_signals_are_left_alone():
    seen = []

    def work():
        with stopped_by_signals(lambda: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
