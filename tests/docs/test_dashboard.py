"""The Grafana dashboard and the page on monitoring name the metrics that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from django_vt.models import Status
from django_vt.operations.metrics import METRICS
from tests.docs.pages import DOCS, rows, spans

NAMES = {metric.full_name for metric in METRICS}
LABELS = {"database", "status", "account", "event_type"}
MONITORING = DOCS / "how-to" / "monitoring.md"


def dashboard() -> Any:
    return json.loads((DOCS / "_static" / "grafana-dashboard.json").read_text(encoding="utf-8"))


def queries(part: Any) -> Iterator[str]:
    """Every expression and every variable's query in it."""
    if isinstance(part, dict):
        yield from (
            value for key, value in part.items() if key in {"expr", "query", "definition"} and isinstance(value, str)
        )
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from queries(each)


def test_its_queries_name_metrics_that_exist_and_leave_none_out():
    assert {name for query in queries(dashboard()) for name in re.findall(r"django_vt_\w+", query)} == NAMES


def test_its_queries_name_labels_and_statuses_that_exist():
    asked = " ".join(queries(dashboard()))
    labels = {*re.findall(r"(\w+)=~?\"", asked), *re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", asked)))}
    assert labels <= LABELS
    assert set(re.findall(r'status="(\w+)"', asked)) <= set(Status.values)
    legends = json.dumps(dashboard())
    assert set(re.findall(r"\{\{(\w+)\}\}", legends)) <= LABELS


def test_each_panel_has_an_id_a_title_and_a_place_of_its_own():
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _y in cells) == 23


def test_every_query_asks_the_data_source_that_is_chosen():
    targets = [target for panel in dashboard()["panels"] for target in panel["targets"]]
    assert {target["datasource"]["uid"] for target in targets} == {"${datasource}"}


def test_the_page_tells_of_each_metric_and_its_labels():
    told = {
        spans(metric)[0]: set(spans(labels))
        for metric, labels, _meaning in rows(MONITORING, "Prometheus, by the node exporter's text files")
    }
    assert set(told) == NAMES
    assert set().union(*told.values()) == LABELS - {"database"}


def test_the_pages_alerts_name_metrics_that_exist():
    written = MONITORING.read_text(encoding="utf-8")
    assert set(re.findall(r"django_vt_[a-z_]+(?=\)|\{)", written)) <= NAMES
