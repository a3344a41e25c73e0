"""A vendor that answers at once and remembers when each order reached it, and over how many connections.

`python -m benchmarks.watching_vendor` prints its address, and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from urllib.parse import unquote
from urllib.request import urlopen

from benchmarks.far_vendor import BODY
from benchmarks.vendor_process import serve

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


async def _serve() -> None:
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

    await serve(answer)


if __name__ == "__main__":
    asyncio.run(_serve())
