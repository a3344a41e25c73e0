"""The vendor's side of its document: which requests it understands, and what it answers.

The rules are those of the vendor's page on sending events from the server. That a request that breaks them is answered
with 400 is the stand-in's own: the page names no error, and silence would hide the mistake from the developer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import quote, unquote, unquote_plus

from .request import VendorRequest

ENDPOINT_PATH = "/event"
EVENT_PATH = re.compile(rf"{ENDPOINT_PATH}/([^/]+)/([^/]+)")
INTEGER = re.compile(r"-?[0-9]+")
# Nine of ten escapes in a list of events. None of these characters can be part of an escape or become another.
JSON_ESCAPES = {quote(character): character for character in '",:{}[]'}


class NotHTTP(Exception):
    """The bytes are no HTTP request."""


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, not yet bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def head(self, length: int | None = None) -> bytes:
        """Status line and headers with the empty line, for a body of `length` bytes (None: the body's own)."""
        lines = [f"HTTP/1.1 {self.status} {_phrase(self.status)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {len(self.body) if length is None else length}", "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def to_bytes(self) -> bytes:
        """The whole answer, to be sent at once."""
        return self.head() + self.body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


BAD_REQUEST = Reply(400, {"Connection": "close"}, b"")


def read_request(head: bytes) -> VendorRequest:
    """Read a request's line and headers; `NotHTTP` where they are none."""
    request_line, *header_lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, version = request_line.split(" ")
        headers = dict(_read_header(line) for line in header_lines)
        content_length = int(headers.get("content-length", "0"))
    except ValueError as error:
        raise NotHTTP from error
    path, _, raw_query = target.partition("?")
    account_id, event_type = _read_path(path)
    query = _read_query(raw_query)
    events, violations = _read_events(query, event_type)
    return VendorRequest(
        method=method,
        path=path,
        raw_query=raw_query,
        headers=headers,
        at=datetime.now(timezone.utc),
        account_id=account_id,
        event_type=event_type,
        callback=query.get("callback") or None,
        events=events,
        violations=violations,
        # Only a GET is answered in a way that leaves the connection in a known state.
        keeps_alive=version == "HTTP/1.1" and method == "GET" and headers.get("connection", "").lower() != "close",
        content_length=content_length,
    )


def _read_header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ValueError
    return name.lower(), value.strip()


def _read_path(path: str) -> tuple[str, str]:
    match = EVENT_PATH.fullmatch(path)
    return (unquote(match[1]), unquote(match[2])) if match else ("", "")


def _read_query(raw_query: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in raw_query.split("&"))
    return {unquote_plus(name): _unquoted(value) for name, _, value in pairs}


def _unquoted(text: str) -> str:
    """As `unquote_plus`, which by itself takes most of the time that a request costs the stand-in."""
    for escape, character in JSON_ESCAPES.items():
        text = text.replace(escape, character)
    return unquote_plus(text)


def _read_events(query: Mapping[str, str], event_type: str) -> tuple[tuple[dict[str, Any], ...], tuple[str, ...]]:
    violations = [] if INTEGER.fullmatch(query.get("ts", "")) else ["ts: not an integer"]
    try:
        data = json.loads(query.get("data", ""), parse_constant=_refuse_constant)
    except ValueError:
        return (), ("data: not JSON", *violations)
    if not isinstance(data, list) or not data:
        return (), ("data: not a list of events", *violations)
    for position, event in enumerate(data):
        violations += [f"data[{position}].{violation}" for violation in _event_violations(event, event_type)]
    return tuple(event for event in data if isinstance(event, dict)), tuple(violations)


def _refuse_constant(name: str) -> NoReturn:
    """NaN and Infinity, which Python's json reads and JSON doesn't have."""
    raise ValueError


def _event_violations(event: Any, event_type: str) -> Iterator[str]:
    if not isinstance(event, dict):
        yield "event: not an object"
        return
    if event.get("type") != event_type:
        yield "type: not the path's"
    yield from _identity_violations(event)
    if event_type == "confirmation":
        yield from _confirmation_violations(event)


def _identity_violations(event: Mapping[str, Any]) -> Iterator[str]:
    """Whose event it is: userId and sessionId, or email, or _vtsid, and exactly one of these."""
    keys = {key for key in ("userId", "sessionId", "email", "_vtsid") if key in event}
    if keys not in ({"userId", "sessionId"}, {"email"}, {"_vtsid"}):
        yield "identity: not exactly one"
    for key in sorted(keys):
        if not isinstance(event[key], str) or not event[key]:
            yield f"{key}: not a string that names somebody"


def _confirmation_violations(event: Mapping[str, Any]) -> Iterator[str]:
    generic = event.get("generic")
    if not isinstance(generic, dict) or not generic.get("orderId"):
        yield "generic.orderId: missing"
    elif not _is_number(generic.get("total")):
        yield "generic.total: not a number"
    items = event.get("items")
    if not isinstance(items, list) or not all(map(_is_item, items)):
        yield "items: not a list of id and quantity"


def _is_item(item: Any) -> bool:
    return isinstance(item, dict) and bool(item.get("id")) and _is_number(item.get("quantity"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def usual_reply(request: VendorRequest) -> Reply:
    """What the vendor answers when nothing is wrong with it: JSONP or JSON, or why not."""
    if not request.event_type:
        return _json_reply(404, request, {"error": "no such path"})
    if request.method != "GET":
        return _json_reply(405, request, {"error": "only GET"})
    if request.violations:
        return _json_reply(400, request, {"error": "not as documented", "violations": request.violations})
    return _json_reply(200, request, {"status": "ok"})


def _json_reply(status: int, request: VendorRequest, content: Mapping[str, Any]) -> Reply:
    text = json.dumps(content)
    headers = {"Content-Type": "application/json"}
    if request.callback:
        text = f"{request.callback}({text})"
        headers = {"Content-Type": "application/javascript"}
    if status == 405:
        headers["Allow"] = "GET"
    if not request.keeps_alive:
        headers["Connection"] = "close"
    return Reply(status, headers, text.encode())
