"""ARCHITECTURE.md, the map of the house: what it names is there, and what holds something is on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "django_vt"


def named() -> list[str]:
    """The paths in the table's first column: `recording/record` · `storing` is two in one folder."""
    found = []
    for line in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            folder = ""
            for path in re.findall(r"`([^`]+)`", line.split("|")[1]):
                folder = path[: path.rfind("/") + 1] or folder
                found.append(path if "/" in path or path.endswith(".py") else folder + path)
    return found


@pytest.mark.parametrize("path", named())
def test_what_the_map_names_is_there(path):
    place = PACKAGE / path
    assert place.is_file() or place.is_dir() or place.with_suffix(".py").is_file()


@pytest.mark.parametrize(
    "folder", sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py") if path.parent.name != "migrations")
)
def test_every_package_is_on_the_map(folder):
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert re.search(rf"\b{folder}\b", text)
