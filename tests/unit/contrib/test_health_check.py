"""django-health-check, the real one, with the check of the send log: over HTTP, sync and async."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import AsyncClient, Client
from django.urls import path
from django.utils import timezone
from health_check.views import HealthCheckView

from django_vt.contrib.health_check import WHY, SendLog
from django_vt.models import Endpoint
from tests.support.delivering import ACCOUNT, configure, one

CHECK = "django_vt.contrib.health_check.SendLog"
urlpatterns = [
    path("health/", HealthCheckView.as_view(checks=[CHECK])),
    path("patient/", HealthCheckView.as_view(checks=[(CHECK, {"max_age": timedelta(hours=1), "database": "default"})])),
]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]


def status_and_told(address: str = "/health/") -> tuple[int, str]:
    response = Client().get(address, {"format": "json"})
    [told] = json.loads(response.content).values()
    return response.status_code, told


def due(minutes: int) -> None:
    one(created_at=timezone.now() - timedelta(minutes=minutes))


def test_an_empty_log_is_healthy() -> None:
    assert status_and_told() == (200, "OK")


def test_what_has_been_due_for_a_while_is_healthy() -> None:
    due(14)
    assert status_and_told() == (200, "OK")


def test_what_has_been_due_for_long_is_not_and_says_for_how_long() -> None:
    due(20)
    assert status_and_told() == (500, "Unavailable: Something has been due for 20 minutes: " + WHY["open"])


@pytest.mark.parametrize(("minutes", "status"), [(59, 200), (61, 500)])
def test_how_long_is_long_is_the_projects_to_say(minutes: int, status: int) -> None:
    due(minutes)
    assert status_and_told("/patient/")[0] == status


def test_it_says_what_is_in_the_way(settings: Any) -> None:
    due(20)
    row = Endpoint.objects.row_of(ACCOUNT, "wishlist", "https://app.vtcdn.net/event")
    Endpoint.objects.filter(pk=row.pk).update(paused_until=1)
    assert status_and_told()[1].endswith(": requests to Vibetrace fail")
    Endpoint.objects.hold()
    assert status_and_told()[1].endswith(": staff hold sending")
    configure(settings, ENABLED=False)
    assert status_and_told()[1].endswith(": ENABLED is False")


def test_an_async_server_is_answered_the_same() -> None:
    due(20)

    async def ask() -> int:
        return (await AsyncClient().get("/health/?format=json")).status_code

    assert async_to_sync(ask)() == 500


def test_prometheus_is_told_which_check_fails() -> None:
    due(20)
    told = Client().get("/health/", {"format": "openmetrics"}).content.decode()
    assert 'django_health_check_status{check="SendLog",max_age="0:15:00"} 0' in told


@pytest.fixture
def no_table() -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.execute("ALTER TABLE django_vt_sendlogentry RENAME TO django_vt_away")
    yield
    with connection.schema_editor() as editor:
        editor.execute("ALTER TABLE django_vt_away RENAME TO django_vt_sendlogentry")


@pytest.mark.usefixtures("no_table")
def test_a_log_that_cannot_be_read_is_unhealthy() -> None:
    status, told = status_and_told()
    assert status == 500
    assert told.startswith("Unavailable: The send log cannot be read (")


def test_its_name_tells_nothing_secret() -> None:
    assert repr(SendLog()) == "SendLog(max_age=datetime.timedelta(seconds=900), database=None)"
