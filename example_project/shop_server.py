"""The shop as a process of its own, served over real HTTP on this machine."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

MANAGE = Path(__file__).with_name("manage.py")
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
STARTS_WITHIN = 30.0  # seconds
STOPS_WITHIN = 5.0  # seconds
LOOKS_EVERY = 0.05  # seconds


class ShopFailed(Exception):
    """What to tell whoever started it."""


class ShopServer:
    """`manage.py runserver` for as long as the block lasts; what it prints goes to `log`."""

    def __init__(self, environment: dict[str, str], log: Path, port: int = 0) -> None:
        self._environment = environment
        self._log = log
        self._port = port

    def __enter__(self) -> "ShopServer":
        with self._log.open("w") as log:
            self._process = subprocess.Popen(  # noqa: S603 - Django's own command
                # --insecure: the static files come with DEBUG off, too.
                [sys.executable, MANAGE, "runserver", "--noreload", "--insecure", f"127.0.0.1:{self._port}"],
                env={**os.environ, **self._environment, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self.url = self._wait_for_address()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self) -> None:
        """Until it ends by itself, which it should not."""
        self._process.wait()
        raise ShopFailed(f"The shop has stopped by itself.\n{self.last_lines()}")

    def stop(self) -> None:
        """As Ctrl-C would: it finishes the delivery in hand. It is killed if it doesn't end, or if nobody can wait."""
        try:
            self._process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOPS_WITHIN)
        finally:
            self._process.kill()
            self._process.wait()

    def last_lines(self, count: int = 15) -> str:
        """The end of what it has printed."""
        lines = self._log.read_text(errors="replace").splitlines()[-count:]
        return "\n".join(["The shop's last words:", *(f"  {line}" for line in lines)])

    def _wait_for_address(self) -> str:
        """Runserver prints its address once it listens, and so tells the port that the system has chosen."""
        end = time.monotonic() + STARTS_WITHIN
        while self._process.poll() is None and time.monotonic() < end:
            if address := ADDRESS.search(self._log.read_text()):
                return address[0]
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(LOOKS_EVERY)
        raise ShopFailed(f"The shop didn't start.\n{self.last_lines()}")
