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
    """

    method: str
    path: str
    """As sent, without the query."""
    raw_query: str
    """As sent, still percent-encoded."""
    headers: Mapping[str, str]
    """By name in lower case."""
    at: datetime
    """When it had been read (aware, UTC, the machine's own clock)."""
    account_id: str
    """From the path; empty where the path isn't the endpoint's."""
    event_type: str
    """From the path; empty where the path isn't the endpoint's."""
    callback: str | None
    """The name for the JSONP answer, None for plain JSON."""
    events: tuple[dict[str, Any], ...]
    """The list in `data`, as far as it could be read."""
    violations: tuple[str, ...]
    """Where it breaks the rules of the vendor's document; names fields, never values."""
    keeps_alive: bool
    """Whether the client wants to use the connection again."""
    content_length: int
    """Bytes of body that follow the head; the vendor's requests have none."""
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
