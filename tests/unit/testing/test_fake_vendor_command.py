from __future__ import annotations

import importlib
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.raw_client import LOGIN, target

pytestmark = [pytest.mark.process, pytest.mark.any_database]

ROOT = Path(__file__).parents[3]


@pytest.fixture
def command():
    arguments = [sys.executable, "-W", "error", "-m", "django_vt.testing.fake_vendor", "--port", "0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield process
        process.kill()


def test_importing_the_command_starts_nothing(capsys):
    importlib.import_module("django_vt.testing.fake_vendor.__main__")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_a_line_for_each_event_until_it_is_told_to_stop(command, number):
    announced = re.search(r"http://127\.0\.0\.1:\d+", command.stdout.readline())
    assert announced
    assert requests.get(announced[0] + target(LOGIN, LOGIN)).ok
    assert requests.get(announced[0] + target(LOGIN, ts="x")).status_code == 400
    command.send_signal(number)
    output, errors = command.communicate(timeout=10)
    shown = '{"type":"login","email":"shopper@example.com","source":"website"}'
    assert [line.split(" ", 1)[1] for line in output.splitlines()] == [
        f"accepted acc123 login {shown}",
        f"accepted acc123 login {shown}",
        f"refused acc123 login {shown}",
        "refused acc123 login not as documented: ts: not an integer",
    ]
    assert (command.returncode, errors) == (0, "")
