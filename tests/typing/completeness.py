"""`python -m tests.typing.completeness REPORT`: no type is unknown in the public API.

REPORT is what `pyright --verifytypes django_vt --ignoreexternal --outputjson` printed, in an environment that has the
wheel. Exits with 1, and a line for each, where something public has no type, or one that type checkers could each
infer as they please.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# What Django reads of a model, and no shop.
DJANGO_S_OWN = re.compile(r"\.(?:Meta|objects|DoesNotExist|MultipleObjectsReturned)\b")
WRITTEN_OUT = re.compile(r'type is "([^"]*)"')


def incomplete(report: dict[str, Any], public: set[str]) -> Iterator[str]:
    """A line for each public symbol whose type is not known."""
    for symbol in report["typeCompleteness"]["symbols"]:
        if is_public(symbol["name"], public):
            for diagnostic in symbol["diagnostics"]:
                if diagnostic["severity"] == "error" and not is_of_what_it_holds(diagnostic["message"]):
                    yield f"{symbol['name']}: {' '.join(diagnostic['message'].split())}"


def is_public(symbol: str, public: set[str]) -> bool:
    """Whether it is a public name or a member of one."""
    if DJANGO_S_OWN.search(symbol) or re.search(r"\._(?!_)", symbol):
        return False
    return any(symbol == name or symbol.startswith(f"{name}.") for name in public)


def is_of_what_it_holds(message: str) -> bool:
    """The type is written without an unknown: it is partially unknown for a member of a class, reported itself."""
    written = WRITTEN_OUT.search(message)
    return "is partially unknown" in message and bool(written) and "Unknown" not in written[1]


def seen(report: dict[str, Any], public: set[str]) -> int:
    """How many public symbols the report speaks of."""
    return sum(is_public(symbol["name"], public) for symbol in report["typeCompleteness"]["symbols"])


def main() -> None:
    """Say what is incomplete."""
    import django
    from django.conf import settings

    settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django_vt"])
    django.setup()
    from tests.docs.public_names import all_names

    report, public = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), all_names()
    if lines := list(incomplete(report, public)):
        sys.exit("Public names whose types are not known:\n" + "\n".join(lines))
    if not (count := seen(report, public)):
        sys.exit("pyright has reported no public name: was django_vt installed where it looked?")
    sys.stdout.write(f"{count} public symbols, each of a known type\n")


if __name__ == "__main__":
    main()
