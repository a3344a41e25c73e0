"""Ends a script tidily when it is told to stop: its `with` blocks are left, so that nothing stays behind."""

import signal
import sys
from types import FrameType


def leave_tidily_when_told() -> None:
    """SIGTERM and a closed terminal end the script as `sys.exit` does; Ctrl-C raises KeyboardInterrupt anyhow."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    # A script that a shell has put into the background would otherwise be deaf to it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
