"""DATABASE_URL chooses the tests' database in however many processes they run, and no other project's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.once, pytest.mark.process]

ROOT = Path(__file__).parents[2]
PLUGIN = """
import os
from django.conf import settings

def pytest_runtest_setup(item):
    assert settings.DATABASES["default"]["NAME"] == "of_the_tests"
    assert "DATABASE_URL" not in os.environ
"""
TEST = "tests/unit/protocol/test_reasons.py"


@pytest.mark.parametrize("processes", ["0", "1"])
def test_each_process_tests_on_the_database_that_was_chosen(tmp_path, processes):
    (tmp_path / "looking.py").write_text(PLUGIN, encoding="utf-8")
    options = ("-q", "-p", "looking", "-p", "no:cacheprovider", "--numprocesses", processes, TEST)
    environment = {**os.environ, "DATABASE_URL": "sqlite:///of_the_tests", "PYTHONPATH": str(tmp_path)}
    command = (sys.executable, "-m", "pytest", *options)
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
