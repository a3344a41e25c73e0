"""The selection, in the Python that runs these tests: it refuses by itself what WebAssembly would refuse."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.webassembly.inside import compile_all

pytestmark = [pytest.mark.once, pytest.mark.process]

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = re.compile(r"^(\d+) tests were left out, as they asked for (.+)\.$", re.MULTILINE)
Run = Callable[..., tuple[int, str]]

ASKING = """
    import asyncio, socket, subprocess, sys, threading
    import pytest

    async def nothing():
        pass

    @pytest.fixture(scope="module")
    def server():
        with socket.socket() as listening:
            yield listening

    def test_asks_for_nothing():
        assert not threading.Event().wait(3600)

    def test_a_thread():
        threading.Thread(target=print).start()

    def test_a_process():
        subprocess.run([sys.executable, "-c", ""])

    def test_an_event_loop():
        asyncio.run(nothing())

    def test_leaves_a_coroutine_behind():
        begun = [nothing()]
        begun.append(begun)
        threading.Thread(target=begun).start()

    def test_waits_for_good():
        threading.Event().wait()

    def test_copes_with_the_lack_of_it():
        try:
            socket.getaddrinfo("localhost", 80)
        except OSError:
            pass

    def test_takes_what_a_fixture_asked_for(server):
        pass

    def test_takes_what_a_fixture_has_asked_for_before(server):
        pass
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs these modules of tests with the plugin, in a process of its own; gives the exit status and the output."""

    def run(*options: str, **modules: str) -> tuple[int, str]:
        for name, code in modules.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(code), encoding="utf-8")
        plugins = ("-p", "tests.webassembly.plugin", "-p", "no:django", "-p", "no:cacheprovider")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugins, *options],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_test_that_asks_for_what_is_not_there_is_left_out_and_counted(run: Run) -> None:
    status, told = run("-W", "error", test_asking=ASKING)
    assert status == pytest.ExitCode.OK
    assert "== 1 passed, 8 skipped in " in told
    assert "was never awaited" not in told
    assert "1 tests passed without a thread, a process or a socket; 1 have to.\n" in told
    assert {what: int(count) for count, what in re.findall(LEFT_OUT, told)} == {
        "a socket": 3,
        "a thread": 3,
        "a process": 1,
        "an event loop": 1,
    }


def test_a_module_that_imports_a_compiled_package_is_left_out(run: Run) -> None:
    status, told = run(test_tls="import cryptography\ndef test_tls(): pass", test_plain="def test_plain(): pass")
    assert status == pytest.ExitCode.OK
    assert "== 1 passed, 1 skipped in " in told
    assert "1 tests were left out, as they asked for the package cryptography." in told


def test_too_few_that_passed_fail_the_run(run: Run) -> None:
    status, told = run("--at-least", "2", test_asking=ASKING)
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "1 tests passed without a thread, a process or a socket; 2 have to." in told


def test_what_fails_fails_the_run_unless_it_has_asked(run: Run) -> None:
    by_itself = "def test_by_itself():\n    raise OSError"
    asked = "import threading\n\ndef test_asked():\n    threading.Thread(target=print).start()"
    status, told = run(test_failing=by_itself, test_asking=asked)
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "== 1 failed, 1 skipped in " in told


def test_what_the_compiler_warns_of_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "fine.py").write_text("1")
    compile_all(tmp_path)
    (tmp_path / "old.py").write_text(r"'\d'")
    with pytest.raises(SyntaxError, match="invalid escape sequence"):
        compile_all(tmp_path)
