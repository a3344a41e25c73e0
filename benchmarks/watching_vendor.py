"""A vendor that answers at once and remembers when each order reached it, and over how many connections.

`python -m benchmarks.watching_vendor` prints its address, and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote
from urllib.request import urlopen

BODY = b'{"status": 1, "success": true}'
ORDER = re.compile(r'"orderId":"([0-9]+)"', re.ASCII)
REPORT = "/report"


@dataclass
class Seen:
    """What has come since it was last asked for; times are `time.monotonic()`, which is one clock for all processes."""

    arrivals: dict[str, float] = field(default_factory=dict)
    connections: int = 0


class Vendor:
    """Its address, and what has reached it."""

    def __init__(self, address: str) -> None:
        self.address = address

    def seen(self) -> Seen:
        """What has come since this was last asked; begins anew."""
        with urlopen(self.address + REPORT, timeout=10) as response:
            return Seen(**json.load(response))


@contextmanager
def running() -> Iterator[Vendor]:
    """One in a process of its own: its work is not to be the shop's."""
    command = [sys.executable, "-m", "benchmarks.watching_vendor"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Vendor(process.stdout.readline().strip())
        process.stdin.close()


async def serve() -> None:
    """Until standard input ends."""
    seen = [Seen()]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_new = True
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                now, target = time.monotonic(), unquote(head.split(b" ", 2)[1].decode())
                body = BODY
                if target == REPORT:
                    told, seen[0] = seen[0], Seen()
                    body = json.dumps(vars(told)).encode()
                else:
                    seen[0].connections += is_new
                    is_new = False
                    for order in ORDER.findall(target):
                        seen[0].arrivals.setdefault(order, now)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=1 << 20)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201 - read by `running`
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
