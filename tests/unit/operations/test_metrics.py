"""The metrics tell what the figures tell, in a form that Prometheus's own parser reads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from django_vt.conf import settings as vt_settings
from django_vt.models import Endpoint, functions
from django_vt.operations.metrics import METRICS, Look, as_prometheus
from tests.support.delivering import ACCOUNT, configure, ms, one, pending

pytestmark = pytest.mark.django_db

DATABASE = (("database", "default"),)
LOGINS = (("account", ACCOUNT), ("database", "default"), ("event_type", "login"))


def printed(database: str = "default") -> str:
    return as_prometheus(Look.at("default"), database)


def values() -> dict[str, dict[Any, float]]:
    """For each metric its values by their labels."""
    families = text_string_to_metric_families(printed() + "\n")
    return {
        family.name: {tuple(sorted(sample.labels.items())): sample.value for sample in family.samples}
        for family in families
    }


def by_status(name: str) -> dict[str, float]:
    return {dict(labels)["status"]: value for labels, value in values()[name].items()}


def endpoint(event_type: str = "login", **columns: Any) -> None:
    row = Endpoint.objects.row_of(ACCOUNT, event_type, vt_settings.ENDPOINT)
    Endpoint.objects.filter(pk=row.pk).update(**columns)


def test_each_has_its_help_and_is_a_gauge() -> None:
    families = {family.name: family for family in text_string_to_metric_families(printed() + "\n")}
    assert list(families) == [metric.full_name for metric in METRICS]
    assert all(name.startswith("django_vt_") for name in families)
    assert {family.type for family in families.values()} == {"gauge"}
    assert [families[metric.full_name].documentation for metric in METRICS] == [metric.help for metric in METRICS]


def test_entries_are_counted_by_status() -> None:
    pending(3)
    pending(2, status="sent", due_at=None)
    one(status="failed", due_at=None)
    assert by_status("django_vt_entries") == {"pending": 3, "sent": 2, "failed": 1, "skipped": 0}


def test_those_of_the_last_hour_are_counted_apart(clock: Any) -> None:
    one(status="failed", due_at=None, created_at=clock.now - timedelta(minutes=61))
    one(status="failed", due_at=None, created_at=clock.now - timedelta(minutes=59))
    assert by_status("django_vt_entries_last_hour")["failed"] == 1
    assert by_status("django_vt_entries")["failed"] == 2


def test_counting_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "LIMIT", 2)
    pending(4)
    assert by_status("django_vt_entries")["pending"] == 2
    assert by_status("django_vt_entries_last_hour")["pending"] == 2


def test_the_age_of_the_oldest_due_entry_is_in_seconds(clock: Any) -> None:
    assert values()["django_vt_due_age_seconds"] == {DATABASE: 0}
    one(created_at=clock.now - timedelta(minutes=20))
    assert values()["django_vt_due_age_seconds"] == {DATABASE: 1200}


def test_a_switch_and_a_hold_are_told(settings: Any) -> None:
    told = values()
    assert (told["django_vt_enabled"], told["django_vt_held"]) == ({DATABASE: 1}, {DATABASE: 0})
    Endpoint.objects.hold()
    configure(settings, ENABLED=False)
    told = values()
    assert (told["django_vt_enabled"], told["django_vt_held"]) == ({DATABASE: 0}, {DATABASE: 1})


def test_an_account_that_is_held_apart_is_named() -> None:
    Endpoint.objects.hold(ACCOUNT)
    assert values()["django_vt_held"] == {DATABASE: 0, (("account", ACCOUNT), *DATABASE): 1}


def test_each_endpoint_tells_of_its_pause_and_of_its_last_success(clock: Any) -> None:
    endpoint("confirmation", last_success_at=ms(clock.now))
    endpoint("login", paused_until=ms(clock.now) + 5_000, consecutive_failures=3)
    confirmations = (("account", ACCOUNT), ("database", "default"), ("event_type", "confirmation"))
    told = values()
    assert told["django_vt_paused"] == {confirmations: 0, LOGINS: 1}
    assert told["django_vt_consecutive_failures"] == {confirmations: 0, LOGINS: 3}
    assert told["django_vt_last_success_timestamp_seconds"] == {confirmations: clock.now.timestamp()}


def test_labels_may_hold_anything() -> None:
    odd = 'a\\b"c\nd'
    [family, *_others] = text_string_to_metric_families(printed(database=odd) + "\n")
    assert {sample.labels["database"] for sample in family.samples} == {odd}
