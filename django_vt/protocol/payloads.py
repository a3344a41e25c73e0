"""Reading stored payloads, even if they are no JSON: a row may be changed by hand, or be from an older version.

Nothing here raises, whatever the text is, so that pages can show it, and a shopper in it can be found and forgotten.
"""

from __future__ import annotations

import json
import re
from typing import Any

ESCAPED = re.compile(r"\\u([0-9A-Fa-f]{4})")
DEEPEST = 100  # levels: deeper JSON is treated as a text, because recursive functions would fail on it


def value_of(text: str) -> Any:
    """The value of the JSON; the text itself if it is no JSON. A JSON string gives a text too."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if _is_too_deep(value) else value


def object_of(text: str) -> dict[str, Any] | None:
    """The text's value if it is a JSON object, otherwise None."""
    value = value_of(text)
    return value if isinstance(value, dict) else None


def readable(value: object) -> str:
    """The value as indented JSON with unescaped letters. Only lone surrogates stay escaped: they cannot be encoded."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def indented(text: str) -> str:
    """A payload as indented JSON; unchanged if it is no JSON."""
    value = value_of(text)
    return text if value == text else readable(value)


def unescaped(text: str) -> str:
    """The text with JSON's escapes replaced by letters: a text that is no JSON any more still has them."""
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
