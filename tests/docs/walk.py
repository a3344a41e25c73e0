"""Follows a page to the letter, as a reader would: writes its files, types its commands, opens its pages.

What a reader sees is compared with what the page says one should see. `python -m tests.docs.walk WHEEL` follows the
tutorial and README's five steps in virtual environments of their own; the tests do in the one they run in.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from html import unescape
from http.cookiejar import Cookie, CookieJar
from pathlib import Path
from socket import socket
from types import TracebackType

from tests.docs.pages import DOCS, text
from tests.support.process_output import ProcessOutput

PATIENCE = 30.0  # seconds for anything to show
LOOK = "manage.py send_log_status"  # changes nothing, and may be typed again
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"(Put into|Append to) `([^`]+)`:\s*$")
OPEN = re.compile(r"[Oo]pen <(http[^>]+)>(?: and (?:press \*\*\w+\*\*|log in as `(\w+)` with the password `(\w+)`))?")


class Walk:
    """A reader in a folder of their own, with terminals and a browser."""

    def __init__(self, folder: Path, python: str, replaced: dict[str, str]) -> None:
        self._folder = folder
        self._replaced = replaced
        self._environment = _environment(python)
        self._cookies = CookieJar()
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self._terminals: dict[str, Terminal] = {}
        self._page = ""

    def __enter__(self) -> Walk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for terminal in self._terminals.values():
            terminal.stop()

    def follow(self, page: str) -> None:
        """All of it, in its order."""
        for old, new in self._replaced.items():
            page = page.replace(old, new)
        end = 0
        for fence in FENCE.finditer(page):
            self._step(page[end : fence.start()], fence[1], fence[2])
            end = fence.end()

    def _step(self, words: str, language: str, block: str) -> None:
        self._act(words)
        if file := FILE.search(words):
            self._write(self._folder / file[2], block, append=file[1] == "Append to")
        elif language == "console":
            self._type(words, block)
        elif language == "javascript":
            self._set_cookie(block)
        elif "The page says" in words:
            expect(block, self._page)
        else:
            self._terminals["second"].wait_for(block)

    def _act(self, words: str) -> None:
        if "Stop the stand-in" in words:
            self._terminals["second"].stop()
        if opened := OPEN.search(words):
            self._open(opened[1], opened[2], opened[3])

    def _write(self, path: Path, block: str, *, append: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") if append else ""
        path.write_text(before + block, encoding="utf-8")

    def _type(self, words: str, block: str) -> None:
        where = re.search(r"In a? ?(?:the )?(second|third) terminal", words)
        for typed, shown in commands(block):
            if where:
                self._terminals[where[1]] = Terminal(typed, self._folder, self._environment)
                self._terminals[where[1]].wait_for(shown)
            else:
                expect(shown, self._look(typed, shown) if LOOK in typed else self._run(typed))

    def _look(self, typed: str, shown: str) -> str:
        """Looks again until it is to be seen: a thread of the shop, just woken, is at work meanwhile."""
        end = time.monotonic() + PATIENCE
        while not is_seen(shown, seen := self._run(typed)) and time.monotonic() < end:
            pass
        return seen

    def _run(self, typed: str) -> str:
        done = subprocess.run(
            ["/bin/sh", "-ec", typed], cwd=self._folder, env=self._environment, capture_output=True, text=True,
            check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{typed}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _set_cookie(self, script: str) -> None:
        [(name, value)] = re.findall(r'document.cookie = "(\w+)=([^;]+); path=/"', script)
        self._cookies.set_cookie(
            Cookie(0, name, value, None, False, "127.0.0.1", False, False, "/", True, False, None, True, None, None, {})
        )

    def _open(self, url: str, username: str | None, password: str | None) -> None:
        with self._browser.open(url, timeout=PATIENCE) as response:
            html, where = response.read().decode(), response.url
        if "<form" in html:
            fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))
            if username:
                fields |= {"username": username, "password": password or ""}
            data = urllib.parse.urlencode({name: unescape(value) for name, value in fields.items()}).encode()
            with self._browser.open(urllib.request.Request(where, data), timeout=PATIENCE) as response:
                html = response.read().decode()
        self._page = re.sub(r"[ \t]+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


class Terminal:
    """Something that runs until it is stopped, and what it has shown."""

    def __init__(self, typed: str, folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {typed}"], cwd=folder, env=environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self._output = ProcessOutput(self._process.stdout)

    def wait_for(self, block: str) -> None:
        """The block is to be seen soon."""
        self._output.wait_until(lambda shown: is_seen(block, shown), PATIENCE)
        expect(block, self._output.text)

    def stop(self) -> None:
        """Ctrl-C, which goes to all that it has started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
            self._process.wait(PATIENCE)
        self._output.close()


def commands(block: str) -> list[tuple[str, str]]:
    """The commands of a block, each with what is to be seen after it; one may go on until its quote is closed."""
    found: list[tuple[str, str]] = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        length = next(n for n in range(1, len(lines) + 1) if "".join(lines[:n]).count("'") % 2 == 0)
        found.append(("".join(lines[:length]).strip(), "".join(lines[length:])))
    return found


def expect(block: str, seen: str) -> None:
    """Each line of the block is to be seen, in that order; `…` stands for anything."""
    assert is_seen(block, seen), f"should have been seen:\n{block}\nbut was:\n{seen}"


def is_seen(block: str, seen: str) -> bool:
    lines = [re.escape(line.strip()).replace("…", ".*") for line in block.splitlines() if line.strip() not in {"", "…"}]
    return re.search(r"(?:.*\n)*?.*".join(lines), seen) is not None


def free_port() -> str:
    """A port that nobody uses now."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def free_ports() -> dict[str, str]:
    """The ports of the page, and free ones to use instead."""
    return {port: free_port() for port in ("8000", "8765")}


def _environment(python: str) -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "COV", "PYTHON"))}
    path = f"{Path(python).parent}:{mine['PATH']}"
    return {**mine, "PATH": path, "PYTHONUNBUFFERED": "1", "VT_ACCOUNT_ID": "acc123"}


def walk_with(wheel: Path, page: str) -> None:
    """A whole page in a new folder and a new virtual environment, where `pip install django-vt` installs the wheel."""
    replaced = {
        **free_ports(),
        "pip install django-vt": f"pip install --quiet {wheel}",
        "$ python -m venv": f"$ {sys.executable} -m venv",
        "$ . venv/bin/activate": "$ true",
    }
    with tempfile.TemporaryDirectory() as folder:
        python = str(Path(folder, "venv", "bin", "python"))
        with Walk(Path(folder), python, replaced) as walk:
            walk.follow(page)


def main() -> None:
    """Both pages, with a wheel."""
    from tests.docs import five_steps

    wheel = Path(sys.argv[1]).resolve()
    for title, page in (("The tutorial", text(DOCS / "tutorial.md")), ("README's five steps", five_steps.page())):
        walk_with(wheel, page)
        sys.stdout.write(f"{title}: followed to the letter, with {wheel.name}\n")


if __name__ == "__main__":
    main()
