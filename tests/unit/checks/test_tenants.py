from __future__ import annotations

import pytest
from django.db import connections

THREAD = "django_vt.dispatchers.thread.ThreadDispatcher"
MANUAL = "django_vt.dispatchers.manual.ManualDispatcher"


@pytest.fixture
def _with_tenants(monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "ENGINE", "django_tenants.postgresql_backend")


@pytest.mark.usefixtures("_with_tenants")
def test_what_would_work_in_the_schema_public_is_an_error(found):
    [error] = [message for message in found(DISPATCHER=THREAD) if message.id == "django_vt.E012"]
    assert error.is_serious()
    assert "all_tenants_command send_pending" in error.hint


@pytest.mark.usefixtures("_with_tenants")
def test_what_works_in_the_tenant_s_own_schema_is_found_good(found):
    assert [message for message in found(DISPATCHER=MANUAL) if message.id == "django_vt.E012"] == []


def test_other_engines_have_no_tenants(found):
    assert [message for message in found(DISPATCHER=THREAD) if message.id == "django_vt.E012"] == []
