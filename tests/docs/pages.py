"""What is written in README.md and docs/: its code, its tables, its words."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)]

# What stands in a fence marked `python`, and in comments that begin with `test`: they set the stage and check.
CODE = re.compile(
    r"^(?P<indent> *)```python\n(?P<shown>.*?)^ *```$|^<!-- test\n(?P<hidden>.*?)^-->$", re.DOTALL | re.MULTILINE
)
CODE_SPAN = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Code:
    """A block of code of a page, and the line on which it begins."""

    page: Path
    line: int
    text: str

    @property
    def module(self) -> str:
        """The module that its first line names, as in `# shop/consent.py`; empty where it names none."""
        named = re.match(r"# (shop/\w+)\.py\n", self.text)
        return named[1].replace("/", ".") if named else ""


def title(page: Path) -> str:
    """How a test calls a page."""
    return str(page.relative_to(ROOT))


def text(page: Path) -> str:
    """All of a page."""
    return page.read_text(encoding="utf-8")


def code(page: Path) -> list[Code]:
    """Its Python, in order."""
    written = text(page)
    return [
        Code(page, written.count("\n", 0, found.start()) + 2, textwrap.dedent(found["shown"] or found["hidden"]))
        for found in CODE.finditer(written)
    ]


def rows(page: Path, heading: str = "") -> Iterator[list[str]]:
    """The cells of the tables of a page, or of one section of it; without their heads."""
    written = section(page, heading) if heading else text(page)
    for table in re.findall(r"(?:^\|.*\|\n?)+", written, re.MULTILINE):
        for line in table.splitlines()[2:]:
            yield [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def section(page: Path, heading: str) -> str:
    """What stands under a heading, down to the next of its level or above."""
    for title_, body in sections(page):
        if title_ == heading:
            return body
    raise AssertionError(f"{title(page)} has no section {heading!r}")


def sections(page: Path) -> Iterator[tuple[str, str]]:
    """The sections of the second level, as (heading, text)."""
    parts = re.split(r"^## (.+)$", text(page), flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def spans(cell: str) -> list[str]:
    """What a text has in backticks."""
    return CODE_SPAN.findall(cell)


def first_column(page: Path, heading: str = "") -> list[str]:
    """The first thing in backticks of each row."""
    return [spans(row[0])[0] for row in rows(page, heading)]
