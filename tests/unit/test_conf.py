"""Settings are read when asked for, and a test environment never sends unless it says so."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.test import override_settings, utils

from django_vt import conf
from django_vt.settings_rules import WORD

# DESIGN's table, which docs/reference/settings.md repeats.
DEFAULTS = {
    "ACCOUNT_ID": "",
    "ENDPOINT": "https://app.vtcdn.net/event",
    "ENABLED": True,
    "BACKEND": "django_vt.backends.http.HttpBackend",
    "DISPATCHER": "django_vt.dispatchers.thread.ThreadDispatcher",
    "CALLBACK": "vt",
    "TIMEOUT": (3.05, 10),
    "TRUST_ENV": False,
    "BATCH_SIZE": 20,
    "MAX_URL_LENGTH": 8000,
    "RETRY_DELAYS": (5, 300, 1800, 7200, 18000, 36000, 36000),
    "LEASE": 120,
    "MAX_AGE": {},
    "IDENTIFY_BY": ("pixel", "vtsid", "email"),
    "TRACK_LOGINS": True,
    "LOGIN_SOURCE": "website",
    "BEFORE_RECORD": None,
    "FAIL_SILENTLY": True,
    "ALERT_EMAILS": (),
    "RETENTION_DAYS": 90,
    "PAYLOAD_DAYS": None,
    "PIXEL_HEADER": None,
    "VTSID_HEADER": None,
    "ORDERS": None,
    "ORDER_URL": None,
    "OSCAR_ITEM_ID": "partner_sku",
    "ISSUE_VTSID": False,
    "VTSID_AGE": 31536000,
}


def test_every_setting_has_its_default_outside_of_tests(monkeypatch, settings):
    settings.DJANGO_VT = {}
    monkeypatch.delattr(utils._TestState, "saved_data")
    assert not conf.in_test_environment()
    assert {name: getattr(conf.settings, name) for name in conf.KEYS} == DEFAULTS


def test_a_setting_is_one_line_that_holds_default_and_rule():
    class More(conf.Settings):
        NEW = conf.Setting(5, WORD, in_tests=6)

    assert More().NEW == 6
    assert (More.NEW.default, More.NEW.rule) == (5, WORD)


@pytest.mark.parametrize("key", sorted(conf.KEYS - {"ACCOUNT_ID"}))
def test_every_default_keeps_its_own_rule(key):
    assert conf.SETTINGS[key].rule.accepts(conf.DEFAULTS[key])
    assert conf.SETTINGS[key].name == key


A_WEB_PROCESS = """
import sys
from django.conf import settings
settings.configure(DJANGO_VT={}, EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend")
from django.core import mail
mail.get_connection()
from django_vt.conf import settings
print(hasattr(mail, "outbox"), settings.BACKEND, settings.DISPATCHER, "django.test.utils" in sys.modules)
"""


@pytest.mark.process
def test_a_mail_backend_in_memory_makes_no_test_environment():
    told = subprocess.run([sys.executable, "-c", A_WEB_PROCESS], check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["True", DEFAULTS["BACKEND"], DEFAULTS["DISPATCHER"], "False"]


def test_a_test_environment_is_one_until_django_takes_it_down(monkeypatch):
    assert conf.in_test_environment()
    monkeypatch.delattr(utils._TestState, "saved_data")
    assert not conf.in_test_environment()
    monkeypatch.delitem(sys.modules, "django.test.utils")
    assert not conf.in_test_environment()


@pytest.mark.parametrize("block", [{}, {"ACCOUNT_ID": "acc123"}, None, "junk", ["ENABLED"]])
def test_a_test_environment_neither_sends_nor_starts_a_thread_unless_told(settings, block):
    settings.DJANGO_VT = block
    assert conf.settings.BACKEND == "django_vt.backends.locmem.LocMemBackend"
    assert conf.settings.DISPATCHER == "django_vt.dispatchers.immediate.ImmediateDispatcher"
    assert conf.settings.ENABLED is True


def test_a_project_without_the_block_gets_the_defaults(settings):
    del settings.DJANGO_VT
    assert conf.settings.ENABLED is True
    assert conf.settings.BATCH_SIZE == 20


def test_a_value_is_read_when_it_is_asked_for(settings):
    settings.DJANGO_VT = {"BATCH_SIZE": 5, "BACKEND": "a.Backend"}
    assert (conf.settings.BATCH_SIZE, conf.settings.BACKEND) == (5, "a.Backend")
    with override_settings(DJANGO_VT={"BATCH_SIZE": 6}):
        assert conf.settings.BATCH_SIZE == 6
    settings.DJANGO_VT["BATCH_SIZE"] = 7
    assert conf.settings.BATCH_SIZE == 7


def test_the_deadline_of_a_request_is_the_sum_of_its_time_outs(settings):
    settings.DJANGO_VT = {"TIMEOUT": (1.5, 2)}
    assert conf.settings.deadline == 3.5
