"""JSON as it was stored, also where it is none: somebody has changed the row by hand, or an older version wrote it.

Nothing here raises, whatever the text is: a page that shows it opens, and a shopper in it can be found and forgotten.
"""

from __future__ import annotations

import json
import re
from typing import Any

ESCAPED = re.compile(r"\\u([0-9A-Fa-f]{4})")
DEEPEST = 100  # levels: what is nested more deeply is taken for a text, as functions that call themselves would fail


def value_of(text: str) -> Any:
    """What the JSON says; the text itself where it is no JSON. It is itself a text where the JSON says one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if _is_too_deep(value) else value


def object_of(text: str) -> dict[str, Any] | None:
    """The JSON object that the text is; None for anything else."""
    value = value_of(text)
    return value if isinstance(value, dict) else None


def readable(value: object) -> str:
    """As people read JSON, with letters as they are; but for those that are none, and could not be written."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def indented(text: str) -> str:
    """A payload as people read JSON; as it is where it is no JSON."""
    value = value_of(text)
    return text if value == text else readable(value)


def unescaped(text: str) -> str:
    """The text with its letters as they are: where it is no JSON any more, what it says is still escaped as in JSON."""
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _depth in range(DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return False
    return True


def _inside(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
