"""What `send_log_status` prints for machines, and that each format fails as the others do."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management.base import CommandError
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from tests.support.delivering import one
from tests.unit.management.commands.conftest import fails, run

pytestmark = pytest.mark.django_db


def test_prometheus_reads_what_is_printed_for_it() -> None:
    one(created_at=timezone.now() - timedelta(minutes=20, seconds=1))
    told = run("send_log_status", "--format=prometheus")
    families = {family.name: family for family in text_string_to_metric_families(told)}
    [age] = families["django_vt_due_age_seconds"].samples
    assert age.labels == {"database": "default"}
    assert 1200 <= age.value < 1300


def test_the_last_line_is_whole() -> None:
    assert run("send_log_status", "--format=prometheus").endswith("\n")


@pytest.mark.parametrize("name", ["text", "json", "prometheus"])
def test_each_fails_while_something_has_been_due_for_longer_after_what_it_prints(name: str) -> None:
    one(created_at=timezone.now() - timedelta(minutes=20, seconds=1))
    error = fails("send_log_status", f"--format={name}", "--max-age=15m")
    assert str(error).startswith("Something has been due for 20 minutes. ")
    assert error.printed


def test_text_is_what_people_get_who_ask_for_nothing_else() -> None:
    assert run("send_log_status") == run("send_log_status", "--format=text")


def test_json_names_the_database() -> None:
    assert json.loads(run("send_log_status", "--format=json"))["database"] == "default"


def test_another_format_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'xml'"):
        run("send_log_status", "--format=xml")
