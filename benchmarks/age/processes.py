"""A command of the app in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process; ended at the latest with the block."""
    line = [sys.executable, "-W", "ignore", "-m", "django", *command]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def ended_well(process: subprocess.Popen[bytes]) -> bool:
    """Whether it is done; raises where it has failed."""
    if process.poll() is None:
        return False
    if process.returncode:
        raise RuntimeError(f"{process.args} ended with {process.returncode}")
    return True
