from __future__ import annotations

import json

from example_project.report import event_text, table


def test_an_event_is_valid_json_with_a_line_for_each_field() -> None:
    event = {"type": "confirmation", "items": [{"id": "A", "quantity": 2}], "generic": {"total": 39.5}}
    text = event_text(event)
    assert json.loads(text) == event
    assert len(text.splitlines()) == len(event) + 2


def test_a_tables_columns_stand_under_each_other() -> None:
    assert table([("id", "reference", "why"), ("1", "", "nobody"), ("100", "100023", "")]).splitlines() == [
        "id   reference  why",
        "---  ---------  ------",
        "1    -          nobody",
        "100  100023     -",
    ]
