"""Processes of the example project, which end with the test whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
PATIENCE = 120.0  # seconds, after which a process is taken to hang

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts Python in the repository with these arguments; its temporary files go into the test's own directory."""
    with ExitStack() as stack:

        def start(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=REPOSITORY,
                env={**os.environ, "TMPDIR": str(tmp_path), **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            stack.enter_context(process)
            stack.callback(kill_all, process)
            watchdog = threading.Timer(PATIENCE, kill_all, [process])
            watchdog.start()
            stack.callback(watchdog.cancel)
            return process

        yield start


def kill_all(process: subprocess.Popen[str]) -> None:
    """The process and those that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What the process prints up to the line that holds `text`; fails where its output ends before that."""
    assert process.stdout
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"{text!r} was not printed; this was:\n{seen}\n{process.communicate()}")
