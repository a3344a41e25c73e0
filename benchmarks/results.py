"""RESULTS.md: what each command has printed last, under its name; the others' parts stay as they are."""

from __future__ import annotations

import re
from pathlib import Path

AGE = "make bench-age"
PARTS = ("make bench", *(f"{AGE}: {part}" for part in ("memory", "sqlite", "mariadb", "postgresql")))
HERE = Path(__file__).parent
RESULTS, PROFILES = HERE / "RESULTS.md", HERE / "PROFILES.md"
PART = re.compile(r"^<!-- (make [a-z-]+(?:: [a-z]+)?) -->\n(.*?)^<!-- end -->$", re.MULTILINE | re.DOTALL)


def write(part: str, text: str) -> None:
    """Put what `part` has printed into its place, between the introduction and the goals that are not met."""
    found = dict(PART.findall(RESULTS.read_text())) if RESULTS.exists() else {}
    found[part] = f"\n{text}\n"
    parts = [f"<!-- {name} -->\n{found[name]}<!-- end -->\n" for name in PARTS if name in found]
    RESULTS.write_text("\n".join([(HERE / "INTRODUCTION.md").read_text(), *parts, (HERE / "GAPS.md").read_text()]))


def write_profiles(text: str) -> None:
    """Put the profiles of a run into a file of their own."""
    PROFILES.write_text(f"# Where the time goes\n\nPrinted by `make bench`.\n\n{text}")
