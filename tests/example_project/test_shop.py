"""The example shop in its own settings, as a project of its own: its tests run with Django's test runner."""

from __future__ import annotations

import re
from pathlib import Path

import environ
import pytest

from example_project.preparation import environment
from tests.example_project.conftest import REPOSITORY, Start

pytestmark = pytest.mark.once

MANAGE = REPOSITORY / "example_project" / "manage.py"


def test_the_shops_own_tests_pass_under_djangos_runner(start: Start, tmp_path: Path) -> None:
    settings = environment(tmp_path, "http://127.0.0.1:9/event", debug=False)
    tests = start("-W", "error", MANAGE, "test", "example_project.shop", "--shuffle", **settings)
    _output, report = tests.communicate()
    assert tests.returncode == 0, report
    ran = re.search(r"^Ran (\d+) tests", report, re.MULTILINE)
    assert ran, report
    assert int(ran[1]) >= 40, report
    assert "\nOK\n" in report, report  # and not "OK (skipped=1)"


def test_the_settings_in_env_example_are_all_that_the_shop_needs(start: Start, tmp_path: Path) -> None:
    example = environ.Env()
    example.ENVIRON = {}
    example.read_env(REPOSITORY / "example_project" / ".env.example")
    settings = {"DJANGO_SETTINGS_MODULE": "example_project.settings", **example.ENVIRON}
    check = start("-W", "error", MANAGE, "check", "--fail-level", "WARNING", **settings)
    output, errors = check.communicate()
    assert (check.returncode, errors) == (0, ""), errors
    assert "no issues" in output


def test_without_an_account_the_shop_says_which_setting_is_missing(start: Start, tmp_path: Path) -> None:
    settings = environment(tmp_path, "http://127.0.0.1:9/event", debug=False)
    check = start(MANAGE, "check", **{**settings, "VT_ACCOUNT_ID": ""})
    assert "DJANGO_VT" in check.communicate()[1]
    assert check.returncode == 1
