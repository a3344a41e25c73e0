from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from django_vt.delivery import deliver_due
from tests.unit.testing.recording import Failure, place_order, record, record_and_fail, references

pytestmark = pytest.mark.any_database

ROOT = Path(__file__).parents[3]


def test_vt_events_holds_what_the_test_has_recorded(vt_events, client):
    assert vt_events == []
    place_order(client, "100023")
    assert references(vt_events) == ["100023"]


def test_vt_events_holds_nothing_that_was_rolled_back(vt_events):
    with pytest.raises(Failure):
        record_and_fail("1")
    assert vt_events == []


def test_vt_events_has_errors_in_recording_raised(settings, vt_events):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "BEFORE_RECORD": "no.such.function"}
    with pytest.raises(ModuleNotFoundError):
        record()


def test_fake_vendor_gets_what_is_sent(fake_vendor, client, transactional_db):
    place_order(client, "100023")
    deliver_due()
    fake_vendor.wait_for(1)
    assert fake_vendor.accepted_orders == {"100023": 1}
    assert fake_vendor.violations == []


@pytest.mark.parametrize("others", [{"ACCOUNT_ID": "another", "BATCH_SIZE": 7}, {"ENABLED": False}])
def test_fake_vendor_is_where_the_settings_point(settings, request, others):
    settings.DJANGO_VT = others
    vendor = request.getfixturevalue("fake_vendor")
    assert {
        **others,
        "ENABLED": True,
        "BACKEND": "django_vt.backends.http.HttpBackend",
        "ENDPOINT": vendor.endpoint,
    } == django_settings.DJANGO_VT


def run_pytest(folder: Path, tests: str, *arguments: str, **environment: str) -> str:
    """Run tests of another project; gives what pytest prints."""
    (folder / "test_it.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-W", "error", "-q", *arguments]
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    run = subprocess.run(
        command, cwd=folder, env={**inherited, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    return run.stdout + run.stderr


@pytest.mark.process
def test_in_a_project_without_django_the_plugin_is_there_and_harmless(tmp_path):
    tests = """
import sys

def test_no_settings_were_looked_for(pytestconfig):
    assert pytestconfig.pluginmanager.has_plugin("django_vt")
    assert "django_vt.models" not in sys.modules
    from django.conf import settings
    assert not settings.configured
"""
    assert "1 passed" in run_pytest(tmp_path, tests)


@pytest.mark.process
def test_the_fixtures_describe_themselves(tmp_path):
    shown = run_pytest(tmp_path, "", "--fixtures")
    assert "vt_events -- " in shown
    assert "fake_vendor -- " in shown


@pytest.mark.process
def test_the_fixtures_leave_no_setting_behind_in_whatever_order_they_are_used(tmp_path):
    tests = """
from itertools import permutations

import pytest
from django.conf import settings as django_settings

BEFORE = django_settings.DJANGO_VT

@pytest.mark.parametrize("names", list(permutations(["settings", "vt_events", "fake_vendor"])))
def test_change(names, request):
    for name in names:
        request.getfixturevalue(name)
    request.getfixturevalue("settings").DJANGO_VT = {"ACCOUNT_ID": "changed"}

@pytest.fixture(autouse=True)
def nothing_is_left():
    assert django_settings.DJANGO_VT is BEFORE
"""
    shown = run_pytest(tmp_path, tests, DJANGO_SETTINGS_MODULE="tests.settings", PYTHONPATH=str(ROOT))
    assert "6 passed" in shown
