"""A stand-in for the vendor in a process of its own: its work is not to be the worker's, nor the shop's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

LONGEST_HEAD = 1 << 20  # bytes


@contextmanager
def running(module: str) -> Iterator[str]:
    """The address at which `python -m module` serves, until the block ends."""
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


async def serve(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
    """Print the address, and serve with `answer` until standard input ends."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=LONGEST_HEAD)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201 - read by `running`
    await asyncio.to_thread(sys.stdin.read)
