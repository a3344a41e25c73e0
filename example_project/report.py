"""What the demo and `make run` print, as plain ASCII text that fits any terminal."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from textwrap import indent, wrap
from typing import TYPE_CHECKING, Any

from django_vt.testing import VendorRequest

if TYPE_CHECKING:
    from django_vt.models import SendLogEntry

MARGIN = "   "
WIDTH = 79 - len(MARGIN)
COLUMNS = ("id", "type", "reference", "identity", "status", "answer", "sent at (UTC)")
NO_BREAK = "\N{NO-BREAK SPACE}"


def request_text(request: VendorRequest) -> str:
    """Method and path, then each event as JSON."""
    return "\n".join([f"{request.method} {request.path}", *map(event_text, request.events)])


def event_text(event: Mapping[str, Any]) -> str:
    """JSON in lines of at most WIDTH columns, broken after commas."""
    # It is ASCII: any other character can stand for the blanks at which no line may end.
    text = json.dumps(event).replace(" ", NO_BREAK).replace(f",{NO_BREAK}", ", ")
    lines = wrap(text, WIDTH, subsequent_indent=" ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace(NO_BREAK, " ")


def send_log_text(entries: Iterable["SendLogEntry"]) -> str:
    """A row for each entry, and below it why it was not sent."""
    rows = {entry: row(entry) for entry in entries}
    heading, *lines = table([COLUMNS, *rows.values()])
    told = [line + why(entry) for line, entry in zip(lines, rows, strict=True)]
    return "\n".join([heading, *told])


def row(entry: "SendLogEntry") -> tuple[str, ...]:
    way, _colon, _who = entry.identity.partition(":")
    answer = str(entry.response_status or "")
    return (str(entry.pk), entry.event_type, entry.reference, way, entry.status, answer, time_text(entry.sent_at))


def why(entry: "SendLogEntry") -> str:
    """Lines to follow the entry's row; none where there is no reason."""
    from django_vt.protocol.reasons import describe

    if not entry.reason:
        return ""
    return "\n" + "\n".join(wrap(describe(entry.reason), WIDTH, initial_indent="    ", subsequent_indent="    "))


def time_text(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """A line for each row, with columns as wide as their widest cell; `-` where there is nothing."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join((cell or "-").ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def step(number: int, title: str, *paragraphs: str) -> None:
    """One step of the demo: its number and title, then what there is to see."""
    print(f"{number}. {title}")
    for paragraph in paragraphs:
        print(indent(paragraph, MARGIN), flush=True)
