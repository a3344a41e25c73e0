"""What the demo and `make run` print, as plain ASCII text."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from textwrap import indent
from typing import TYPE_CHECKING, Any

from django_vt.testing import VendorRequest

if TYPE_CHECKING:
    from django_vt.models import SendLogEntry

MARGIN = "   "
COLUMNS = ("id", "type", "reference", "identity", "status", "failed attempts", "sent at (UTC)", "why")


def request_text(request: VendorRequest) -> str:
    """Method and path, then each event as JSON."""
    return "\n".join([f"{request.method} {request.path}", *map(event_text, request.events)])


def event_text(event: Mapping[str, Any]) -> str:
    """JSON with each field of the event on a line of its own, and all that is inside it on that line."""
    fields = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in event.items()]
    return "{\n" + ",\n".join(fields) + "\n}"


def send_log_text(entries: Iterable["SendLogEntry"]) -> str:
    return table([COLUMNS, *(row(entry) for entry in entries)])


def row(entry: "SendLogEntry") -> tuple[str, ...]:
    from django_vt.protocol.reasons import describe

    way, _colon, _who = entry.identity.partition(":")
    answer = f"answered {entry.response_status}" if entry.response_status else ""
    return (
        str(entry.pk),
        entry.event_type,
        entry.reference,
        way,
        entry.status,
        str(entry.attempts),
        time_text(entry.sent_at),
        describe(entry.reason) if entry.reason else answer,
    )


def time_text(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; `-` where there is nothing."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = ["-" * width for width in widths]
    lines = [rows[0], rule, *rows[1:]]
    return "\n".join(
        "  ".join((cell or "-").ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def step(number: int, title: str, *paragraphs: str) -> None:
    """One step of the demo: its number and title, then what there is to see."""
    print(f"{number}. {title}")
    for paragraph in paragraphs:
        print(indent(paragraph, MARGIN))
    print(flush=True)
