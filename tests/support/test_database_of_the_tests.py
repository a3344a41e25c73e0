"""The tests' database must be as shareable as production's, or the tests of threads and processes prove nothing."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from django.db import connection, connections

from tests.projects.shop.models import Order

PLACE_ORDER = """
import django
django.setup()
from tests.projects.shop.models import Order
Order.objects.create(number="by a process", total=1)
"""


def place_order(number: str) -> None:
    Order.objects.create(number=number, total=1)
    connections.close_all()


@pytest.mark.process
def test_a_thread_and_a_process_share_the_database_with_the_test(process_environment):
    thread = threading.Thread(target=place_order, args=["by a thread"])
    thread.start()
    thread.join()
    subprocess.run([sys.executable, "-c", PLACE_ORDER], env=process_environment, check=True, timeout=60)
    assert set(Order.objects.values_list("number", flat=True)) == {"by a thread", "by a process"}


@pytest.mark.django_db
def test_the_database_is_the_tests_own_and_as_production_has_it():
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.transaction_mode == "IMMEDIATE"
    else:
        assert connection.settings_dict["NAME"].startswith("test_")
