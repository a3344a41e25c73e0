"""A vendor that is far away: it answers each request a tenth of a second after it came, and none waits for another.

`python -m benchmarks.far_vendor` prints its address, and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio

from benchmarks.vendor_process import serve

DELAY = 0.1  # seconds
BODY = b'{"status": 1, "success": true}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(DELAY)
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


if __name__ == "__main__":
    asyncio.run(serve(_answer))
