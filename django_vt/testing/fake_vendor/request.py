"""What the stand-in keeps of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, repr=False)
class VendorRequest:
    """A request that was read whole.

    *Received* means just that. *Accepted* means that the vendor took its events for its own: they were what its
    document asks for, and it answered 2xx, or was told to keep them and fail afterwards. In between lies what a
    sender can't know: a request that was received and got no answer.

    `method`, `path` (without the query) and `raw_query` (still percent-encoded) are as they were sent, `headers` by
    name in lower case. `at` is when it had been read (aware, UTC, the machine's own clock). `account_id` and
    `event_type` are those of the path, empty where it isn't the endpoint's. `callback` names the function of the JSONP
    answer, None asks for plain JSON. `events` is the list in `data`, as far as it could be read. `violations` says
    where the request breaks the rules of the vendor's document, by names of fields, never values. `keeps_alive`: the
    client wants to use the connection again. `content_length`: bytes of body after the head; the vendor's requests have
    none. `accepted`: see above.
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
    keeps_alive: bool
    content_length: int
    accepted: bool = False

    @property
    def order_ids(self) -> tuple[str, ...]:
        """The orderIds of its confirmations."""
        return tuple(order_id for order_id in map(order_id_of, self.events) if order_id)

    def __repr__(self) -> str:
        """Without path, query and events: these hold addresses."""
        state = "accepted" if self.accepted else "not accepted"
        return f"<VendorRequest {self.method} {self.event_type or '?'}, {len(self.events)} events, {state}>"


def order_id_of(event: Mapping[str, Any]) -> str | None:
    """The orderId of a confirmation; None for every other event."""
    generic = event.get("generic")
    if event.get("type") != "confirmation" or not isinstance(generic, dict):
        return None
    order_id = generic.get("orderId")
    return None if order_id is None else str(order_id)
