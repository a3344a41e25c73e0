"""Runs what a machine without threads, processes and sockets can run, and says what it could not.

Such a machine refuses them. A test that has asked for one is left out, whatever became of it, so there is no list of
tests that could go stale. `--at-least` holds the number of those that passed without: fewer fail the run.
"""

from __future__ import annotations

import asyncio
import gc
import platform
import socket
import subprocess
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from importlib.machinery import ModuleSpec
from typing import NoReturn

import pytest

Report = pytest.CollectReport | pytest.TestReport


class Refusal(Exception):
    """What a test asked for is not to be had. The kinds are what Python raises for the same reason."""


class RefusedToStart(Refusal, RuntimeError):
    """A thread, or an event loop."""


class RefusedByTheSystem(Refusal, OSError):
    """A process, or a socket."""


class RefusedToImport(Refusal, ImportError):
    """A package that is compiled, and has no wheel for WebAssembly."""


# What may be asked for, and where all ways to it pass.
MISSING = [
    ("a thread", RefusedToStart, threading.Thread, "start"),
    ("an event loop", RefusedToStart, asyncio, "run"),
    ("a process", RefusedByTheSystem, subprocess.Popen, "__init__"),
    ("a socket", RefusedByTheSystem, socket.socket, "__init__"),
    ("a socket", RefusedByTheSystem, socket, "getaddrinfo"),
]
COMPILED = {"cryptography"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Called by pytest."""
    parser.addoption("--at-least", type=int, default=1, metavar="N", help="fail if fewer tests than this have passed")


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest."""
    config.pluginmanager.register(Selection(config.getoption("--at-least")), "selection")


class Selection:
    """What was asked for in vain, and how many tests passed without."""

    def __init__(self, at_least: int) -> None:
        self._at_least = at_least
        self._asked: list[str] = []  # by the test that runs, or the module that is being imported
        self._left_out: dict[str, str] = {}  # node id: what it asked for first
        self._call_passed = False
        self._passed = 0
        self._patch = pytest.MonkeyPatch()

    def pytest_sessionstart(self) -> None:
        """From now on each request is noted, and refused."""
        for what, error, owner, name in MISSING:
            self._patch.setattr(owner, name, self._refusing(what, error))
        self._patch.setattr(threading.Condition, "wait", self._wait)
        self._patch.setattr(sys, "meta_path", [self, *sys.meta_path])

    def pytest_unconfigure(self) -> None:
        """Other runs in this process get what they ask for."""
        self._patch.undo()

    def _refusing(self, what: str, error: type[Refusal]) -> Callable[..., NoReturn]:
        def refuse(*args: object, **_kwargs: object) -> NoReturn:
            self._asked.append(what)
            for argument in args:
                if isinstance(argument, Coroutine):
                    argument.close()  # else Python would warn that nobody has awaited it
            raise error(what)

        return refuse

    def _wait(self, timeout: float | None = None) -> bool:
        """Nobody else is there who could notify: what has an end has come to it, and all else would have none."""
        if timeout is None:
            self._refusing("a thread", RefusedToStart)()
        return False

    def find_spec(self, name: str, _path: Sequence[str] | None = None, _target: object = None) -> ModuleSpec | None:
        """Called by Python at each import; None has it look on."""
        if name in COMPILED:
            self._refusing(f"the package {name}", RefusedToImport)()
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, Report, Report]:
        """A module of tests that cannot be imported here counts as one test."""
        self._asked.clear()
        report = yield
        if report.failed and self._asked:
            self._leave_out(report)
        return report

    def pytest_runtest_logstart(self) -> None:
        """A test begins."""
        self._asked.clear()
        self._call_passed = False

    def pytest_runtest_logfinish(self) -> None:
        """Throw away what a test that was left out has begun and not ended, so that no other test hears of it."""
        if self._asked:
            for name in ("last_type", "last_value", "last_traceback", "last_exc"):
                vars(sys).pop(name, None)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                gc.collect()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, Report, Report]:
        """Called after a test's set-up, after the test and after its tear-down."""
        report = yield
        # What a fixture of several tests asked for, it asked for once; then pytest raises the same error again.
        self._asked += [error.args[0] for error in chain(call.excinfo) if isinstance(error, Refusal)]
        if self._asked and (report.failed or call.when == "call"):
            self._leave_out(report)
        self._call_passed |= call.when == "call" and report.passed
        self._passed += call.when == "teardown" and self._call_passed and not self._asked
        return report

    def _leave_out(self, report: Report) -> None:
        self._left_out[report.nodeid] = self._asked[0]
        report.outcome = "skipped"
        report.longrepr = (report.nodeid.partition("::")[0], 0, f"Skipped: asked for {self._asked[0]}")

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Too few tests that passed fail the run, as a test that failed would."""
        if self._passed < self._at_least and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return (yield)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What ran, and what did not for want of what."""
        write = terminalreporter.write_line
        terminalreporter.section(f"{platform.python_implementation()} {platform.python_version()} on {sys.platform}")
        write(f"{self._passed} tests passed without a thread, a process or a socket; {self._at_least} have to.")
        for what, count in Counter(self._left_out.values()).most_common():
            write(f"{count} tests were left out, as they asked for {what}.")
        if self._passed < self._at_least:
            write("These are too few: tests ask for more than they did.", red=True)


def chain(raised: pytest.ExceptionInfo[BaseException] | None) -> Iterator[BaseException]:
    """An error, and those that it came from."""
    error = raised.value if raised else None
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
