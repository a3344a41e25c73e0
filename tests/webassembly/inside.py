"""What runs inside: compiles all that is ours, then runs the tests. Warnings are errors from the first import on."""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("django_vt", "docs", "example_project", "tests")


def main(arguments: Sequence[str]) -> int:
    """pytest's exit status."""
    # Pyodide has node's event loop run everywhere, and where one runs Django refuses to query.
    asyncio._set_running_loop(None)
    # What it compiles is kept between runs, and outside of the project's folder.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = "/packages/bytecode"
    warnings.simplefilter("error")
    compile_all(*(ROOT / folder for folder in OURS))
    # faulthandler's time limit takes a thread.
    options = ["-p", "tests.webassembly.plugin", "-p", "no:cacheprovider", "-o", "faulthandler_timeout=0"]
    return int(pytest.main([*options, *arguments]))


def compile_all(*folders: Path) -> None:
    """A new Python's compiler has new warnings, which modules that were compiled before would not tell again."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            compile(path.read_bytes(), str(path), "exec")
