"""Requests to the vendor's endpoint that were recorded: what ours are compared with, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RECORDED: dict[str, dict[str, Any]] = {
    name: json.loads(Path(__file__).with_name(f"recorded-{name}.json").read_text(encoding="utf-8"))
    for name in ("confirmation", "login")
}
