from __future__ import annotations

import json

import pytest

from example_project.report import MARGIN, event_text, table

pytestmark = pytest.mark.once


def test_an_event_is_valid_json_in_lines_of_a_terminals_width() -> None:
    items = [{"id": f"TEA {number}", "quantity": 2} for number in range(9)]
    event = {"type": "confirmation", "items": items, "generic": {"total": 39.5}}
    lines = event_text(event).splitlines()
    assert json.loads("".join(lines)) == event
    assert len(lines) > 1
    assert max(map(len, lines)) <= 79 - len(MARGIN)
    assert all(line.endswith(",") for line in lines[:-1])


def test_a_tables_columns_stand_under_each_other() -> None:
    assert table([("id", "reference", "answer"), ("1", "", "200"), ("100", "100023", "")]) == [
        "id   reference  answer",
        "1    -          200",
        "100  100023     -",
    ]
