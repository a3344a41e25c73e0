"""The vendor's document as a server: which requests are valid, and how they are answered.

The rules are those of the vendor's page on sending events from the server. The page documents no errors. The stand-in
answers 400 to a request that breaks a rule, because otherwise the developer would not notice the mistake.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, NoReturn
from urllib.parse import quote, unquote, unquote_plus

ENDPOINT_PATH = "/event"
EVENT_PATH = re.compile(rf"{ENDPOINT_PATH}/([^/]+)/([^/]+)")
INTEGER = re.compile(r"-?[0-9]+")
# Nine of ten escapes in a list of events. Replacing them one by one is safe: no result is part of another escape.
JSON_ESCAPES = {quote(character): character for character in '",:{}[]'}


@dataclass(frozen=True, repr=False)
class VendorRequest:
    """A request that was read completely, whatever the answer.

    `accepted` says whether the vendor kept the events: they follow its document, and it either answered 2xx, or was
    told to keep them and fail afterwards. A sender that got no answer cannot know whether they were kept.

    `method`, `path` (without the query) and `raw_query` (still percent-encoded) are as they were sent; the names in
    `headers` are in lower case. `at` is when it was read (aware, UTC, this machine's clock). `account_id` and
    `event_type` are those in the path; they are empty if the path is not the endpoint's. `callback` names the function
    of the JSONP answer; None asks for plain JSON. `events` is the list in `data`, as far as it could be read.
    `violations` names the fields that break the rules of the vendor's document, but no values.
    """

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    at: datetime
    account_id: str
    event_type: str
    callback: str | None
    events: tuple[dict[str, Any], ...]
    violations: tuple[str, ...]
    accepted: bool = False

    @property
    def order_ids(self) -> tuple[str, ...]:
        """The orderIds of its confirmations."""
        confirmations = (event.get("generic") for event in self.events if event.get("type") == "confirmation")
        order_ids = (generic.get("orderId") for generic in confirmations if isinstance(generic, dict))
        return tuple(str(order_id) for order_id in order_ids if order_id not in (None, ""))

    def __repr__(self) -> str:
        """Leave out the path, the query and the events, which hold addresses."""
        state = "accepted" if self.accepted else "not accepted"
        return f"<VendorRequest {self.method} {self.event_type or '?'}, {len(self.events)} events, {state}>"


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, not yet bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def head(self, length: int | None = None) -> bytes:
        """The status line, headers and empty line, for a body of `length` bytes (None: the body's own length)."""
        lines = [f"HTTP/1.1 {self.status} {http.client.responses.get(self.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {len(self.body) if length is None else length}", "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def to_bytes(self) -> bytes:
        """The whole answer."""
        return self.head() + self.body


def read_request(method: str, target: str, headers: Mapping[str, str]) -> VendorRequest:
    """Parse a request; everything that is wrong with it goes into `violations`."""
    path, _, raw_query = target.partition("?")
    match = EVENT_PATH.fullmatch(path)
    account_id, event_type = (unquote(match[1]), unquote(match[2])) if match else ("", "")
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
    )


def _read_query(raw_query: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in raw_query.split("&"))
    return {unquote_plus(name): _unquoted(value) for name, _, value in pairs}


def _unquoted(text: str) -> str:
    """The same as `unquote_plus`, which alone would take most of the stand-in's time for a request."""
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
    """Refuse NaN and Infinity, which Python's json reads although JSON does not have them."""
    raise ValueError


def _event_violations(event: Any, event_type: str) -> Iterator[str]:
    if not isinstance(event, dict):
        yield "event: not an object"
        return
    if event.get("type") != event_type:
        yield "type: not the path's"
    naming = [key for key in ("_vtsid", "email", "sessionId", "userId") if key in event]
    if naming not in (["_vtsid"], ["email"], ["sessionId", "userId"]):
        yield "identity: not exactly one"
    for key in naming:
        if not isinstance(event[key], str) or not event[key]:
            yield f"{key}: not a string that names somebody"
    if event_type == "confirmation":
        yield from _confirmation_violations(event)


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
    """The vendor's usual answer, as JSONP or JSON: success, or what is wrong with the request."""
    status, content = _verdict(request)
    headers = {"Content-Type": "application/json"}
    text = json.dumps(content)
    if request.callback:
        headers = {"Content-Type": "application/javascript"}
        text = f"{request.callback}({text})"
    if status == 405:
        headers["Allow"] = "GET"
    return Reply(status, headers, text.encode())


def _verdict(request: VendorRequest) -> tuple[int, dict[str, Any]]:
    if not request.event_type:
        return 404, {"error": "no such path"}
    if request.method != "GET":
        return 405, {"error": "only GET"}
    if request.violations:
        return 400, {"error": "not as documented", "violations": request.violations}
    return 200, {"status": "ok"}
