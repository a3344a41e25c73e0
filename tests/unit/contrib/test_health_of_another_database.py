"""The check of django-health-check and OpenTelemetry's metrics ask the database that they are told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone
from health_check.exceptions import ServiceUnavailable
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from django_vt.contrib.health_check import SendLog
from django_vt.contrib.opentelemetry import observe_send_log
from django_vt.models import SendLogEntry


@pytest.fixture
def late(other_database: str) -> str:
    """Another database, in whose send log something has been due for twenty minutes."""
    SendLogEntry.objects.using(other_database).create(
        account_id="acc123", event_type="wishlist", created_at=timezone.now() - timedelta(minutes=20), due_at=0
    )
    return other_database


def test_the_check_asks_it(late: str) -> None:
    with pytest.raises(ServiceUnavailable, match="due for 20 minutes"):
        async_to_sync(SendLog(database=late).run)()


def test_the_metrics_are_of_it(late: str) -> None:
    reader = InMemoryMetricReader()
    observe_send_log(MeterProvider([reader]).get_meter("tests"), using=late)
    data = reader.get_metrics_data()
    assert data is not None
    [metric] = [
        metric for metric in data.resource_metrics[0].scope_metrics[0].metrics if metric.name == "django_vt.due_age"
    ]
    [point] = metric.data.data_points
    assert point.attributes == {"database": late}
    assert point.value >= 1200
