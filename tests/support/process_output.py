"""What a process of the tests' own writes, waited for as it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import BufferedReader
from typing import IO, cast


class ProcessOutput:
    """Reads a process's output from the start, in a thread, so that it never waits for somebody to read it."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._stream = cast("BufferedReader", stream)
        self._parts: list[bytes] = []
        self._has_ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """All so far."""
        with self._changed:
            return b"".join(self._parts).decode("utf-8", "replace")

    def wait_until(self, predicate: Callable[[str], object], timeout: float) -> bool:
        """Whether the text is as wanted within so many seconds; asked anew whenever there is more of it.

        The predicate may ask something else as well, of which the text tells when it may have changed.
        """
        with self._changed:
            return bool(self._changed.wait_for(lambda: predicate(self.text) or self._has_ended, timeout)) and bool(
                predicate(self.text)
            )

    def close(self) -> None:
        """To its end, which comes when the process and those that it has started have ended."""
        self._reader.join(10)
        self._stream.close()

    def _read(self) -> None:
        # What there is, be it half a line.
        while part := self._stream.read1(65536):
            with self._changed:
                self._parts.append(part)
                self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()
