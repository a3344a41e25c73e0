from __future__ import annotations

import pytest
from django.db import connections

from django_vt.dispatchers import _platform

pytestmark = pytest.mark.any_database

THREAD = "django_vt.dispatchers.thread.ThreadDispatcher"


@pytest.fixture
def on_sqlite(monkeypatch):
    """Makes the default database's settings those of an SQLite one with these OPTIONS."""

    def use(**options: object) -> None:
        monkeypatch.setattr(connections["default"], "vendor", "sqlite")
        monkeypatch.setitem(connections["default"].settings_dict, "OPTIONS", options)

    return use


@pytest.mark.parametrize("options", [{}, {"transaction_mode": "DEFERRED"}, {"transaction_mode": None}, {"timeout": 20}])
def test_the_thread_beside_a_shop_on_sqlite_s_own_transactions_is_a_warning(found, on_sqlite, options):
    on_sqlite(**options)
    [message] = found(DISPATCHER=THREAD)
    assert message.id == "django_vt.W002"
    assert not message.is_serious()
    assert '"transaction_mode": "IMMEDIATE"' in message.hint
    assert _platform.unsafe_sqlite_aliases() == ["default"]


@pytest.mark.parametrize("mode", ["IMMEDIATE", "immediate", "Exclusive"])
def test_the_thread_is_found_good_where_writers_wait(found, on_sqlite, mode):
    on_sqlite(transaction_mode=mode)
    assert found(DISPATCHER=THREAD) == []


def test_where_each_page_is_a_transaction_another_dispatcher_is_advised(found, on_sqlite, monkeypatch):
    on_sqlite()
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
    [message] = found(DISPATCHER=THREAD)
    assert message.id == "django_vt.W002"
    assert "IMMEDIATE" not in message.hint
    assert "ManualDispatcher" in message.hint


@pytest.mark.parametrize("mode", ["IMMEDIATE", "immediate", "EXCLUSIVE"])
def test_pages_that_all_wait_for_the_write_lock_are_a_warning(found, on_sqlite, monkeypatch, mode):
    on_sqlite(transaction_mode=mode)
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
    [message] = found(DISPATCHER="django_vt.dispatchers.manual.ManualDispatcher")
    assert message.id == "django_vt.W004"
    assert 'DATABASES["default"]' in message.msg
    assert "`send_pending`" in message.hint


def test_pages_without_a_transaction_or_on_another_database_are_found_good(found, on_sqlite, monkeypatch):
    manual = "django_vt.dispatchers.manual.ManualDispatcher"
    on_sqlite(transaction_mode="DEFERRED")
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
    assert found(DISPATCHER=manual) == []
    on_sqlite(transaction_mode="IMMEDIATE")
    monkeypatch.setattr(connections["default"], "vendor", "postgresql")
    assert found(DISPATCHER=manual) == []


def test_other_dispatchers_have_no_second_writer(found, on_sqlite):
    on_sqlite()
    assert found(DISPATCHER="django_vt.dispatchers.manual.ManualDispatcher") == []


def test_other_databases_bear_the_thread(found, monkeypatch):
    monkeypatch.setattr(connections["default"], "vendor", "postgresql")
    assert found(DISPATCHER=THREAD) == []
