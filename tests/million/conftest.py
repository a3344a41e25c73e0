"""The log: filled once for all tests, in seconds, by the benchmarks' own statement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from benchmarks import grown_log
from django_vt.admin import filters
from django_vt.models import SendLogEntry

ENTRIES = 1_000_000
SECONDS_APART = 3 * 365 * 86_400 / ENTRIES  # three years


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Plans are those of PostgreSQL: another database would make other ones."""
    with django_db_blocker.unblock():
        assert connection.vendor == "postgresql"
        grown_log.fill("default", ENTRIES, seconds_apart=SECONDS_APART)


@pytest.fixture
def _clean(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """What a test has taken back lies in the table until it is vacuumed, as autovacuum would do some time later."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(f"VACUUM {SendLogEntry._meta.db_table}")


@pytest.fixture(autouse=True)
def _shop(_clean: None, db: None, settings: Any) -> None:
    """Delivery goes nowhere, and not by itself."""
    settings.DJANGO_VT = {
        "ACCOUNT_ID": "acc123",
        "BACKEND": "django_vt.backends.locmem.LocMemBackend",
        "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher",
    }


@pytest.fixture(autouse=True)
def _no_figures_kept() -> None:
    filters.forget()


@pytest.fixture
def staff(db: None) -> Client:
    """Somebody who may see and do everything, logged in."""
    client = Client()
    client.force_login(User.objects.create_superuser("anna", password="x"))
    return client


def first(**having: object) -> int:
    """The id of the oldest entry that has so."""
    pk: int = SendLogEntry.objects.filter(**having).order_by("pk").values_list("pk", flat=True)[0]
    return pk
