"""OpenTelemetry's real SDK collects the send log's figures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from django_vt.contrib import opentelemetry
from django_vt.contrib.opentelemetry import observe_send_log
from django_vt.models import Endpoint, SendLogEntry
from django_vt.operations.metrics import METRICS
from tests.support.delivering import ACCOUNT, configure, one, pending

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reader() -> Iterator[InMemoryMetricReader]:
    """What a project's exporter is: it collects the metrics when it is asked."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    observe_send_log(provider.get_meter("tests"))
    yield reader
    provider.shutdown()


def collected(reader: InMemoryMetricReader) -> dict[str, Any]:
    data = reader.get_metrics_data()
    return {
        metric.name: metric
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def points(reader: InMemoryMetricReader) -> dict[str, dict[tuple[str, ...], float]]:
    """For each metric its values by what they are the value of, without the database."""
    return {
        name: {
            tuple(str(value) for key, value in sorted(point.attributes.items()) if key != "database"): point.value
            for point in metric.data.data_points
        }
        for name, metric in collected(reader).items()
    }


def test_all_figures_are_collected(reader: InMemoryMetricReader, settings: Any) -> None:
    pending(2, created_at=timezone.now() - timedelta(minutes=20))
    one(status="sent", due_at=None)
    one(status="failed", due_at=None, created_at=timezone.now() - timedelta(hours=2))
    row = Endpoint.objects.row_of(ACCOUNT, "wishlist", "https://app.vtcdn.net/event")
    Endpoint.objects.filter(pk=row.pk).update(
        paused_until=row.pk, consecutive_failures=3, last_success_at=1_700_000_000_000
    )
    told = points(reader)
    assert told["django_vt.entries"] == {("pending",): 2, ("sent",): 1, ("failed",): 1, ("skipped",): 0}
    assert told["django_vt.entries_last_hour"] == {("pending",): 2, ("sent",): 1, ("failed",): 0, ("skipped",): 0}
    assert 1200 <= told["django_vt.due_age"][()] < 1300
    assert (told["django_vt.enabled"], told["django_vt.held"]) == ({(): 1}, {(): 0})
    assert told["django_vt.paused"] == {(ACCOUNT, "wishlist"): 1}
    assert told["django_vt.consecutive_failures"] == {(ACCOUNT, "wishlist"): 3}
    assert told["django_vt.last_success_timestamp"] == {(ACCOUNT, "wishlist"): 1_700_000_000}


def test_each_names_its_database_its_unit_and_its_meaning(reader: InMemoryMetricReader) -> None:
    Endpoint.objects.row_of(ACCOUNT, "wishlist", "https://app.vtcdn.net/event")
    Endpoint.objects.update(last_success_at=1)
    told = collected(reader)
    assert {name: (metric.unit, metric.description) for name, metric in told.items()} == {
        f"django_vt.{metric.name}": ("s" if metric.unit else "", metric.help) for metric in METRICS
    }
    attributes = [point.attributes for metric in told.values() for point in metric.data.data_points]
    assert {each["database"] for each in attributes} == {"default"}


def test_one_look_serves_all_the_metrics_of_a_collection(
    reader: InMemoryMetricReader, django_assert_max_num_queries: Any
) -> None:
    pending()
    with django_assert_max_num_queries(len(METRICS)):
        collected(reader)


def test_the_next_collection_looks_again(monkeypatch: pytest.MonkeyPatch, reader: InMemoryMetricReader) -> None:
    monkeypatch.setattr(opentelemetry, "LOOK_LASTS", 0)
    assert points(reader)["django_vt.held"] == {(): 0}
    Endpoint.objects.hold()
    assert points(reader)["django_vt.held"] == {(): 1}


def test_the_thread_that_collects_leaves_no_connection_open(reader: InMemoryMetricReader) -> None:
    left_open = []

    def collect() -> None:
        assert points(reader)["django_vt.enabled"] == {(): 1}
        left_open.append(connection.connection)

    thread = threading.Thread(target=collect)
    thread.start()
    thread.join()
    assert left_open == [None]


def test_whoever_collects_in_a_transaction_keeps_it(reader: InMemoryMetricReader) -> None:
    with transaction.atomic():
        one()
        assert points(reader)["django_vt.entries"][("pending",)] == 1
    assert SendLogEntry.objects.count() == 1


@pytest.fixture
def no_table() -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.execute("ALTER TABLE django_vt_sendlogentry RENAME TO django_vt_away")
    yield
    with connection.schema_editor() as editor:
        editor.execute("ALTER TABLE django_vt_away RENAME TO django_vt_sendlogentry")


@pytest.mark.usefixtures("no_table")
def test_a_log_that_cannot_be_read_gives_no_figures_and_one_line(
    reader: InMemoryMetricReader, caplog: pytest.LogCaptureFixture
) -> None:
    assert points(reader) == {}
    [line] = caplog.messages
    assert line.startswith("The send log cannot be observed: ")


def test_without_an_sdk_nothing_is_asked(django_assert_num_queries: Any, settings: Any) -> None:
    configure(settings, ENABLED=True)
    with django_assert_num_queries(0):
        observe_send_log()
