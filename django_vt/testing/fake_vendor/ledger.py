"""What the stand-in got, kept for the tests that ask."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from .request import VendorRequest

Event = dict[str, Any]


class Ledger:
    """Thread-safe; what it gives away are copies."""

    def __init__(self) -> None:
        # Re-entrant, as Condition's lock is unless told: a predicate that runs under it reads the ledger.
        self._changed = threading.Condition()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self._changed:
            self._requests: list[VendorRequest] = []
            self._accepted_events = 0

    def add(self, request: VendorRequest) -> None:
        """Keep it and wake whoever waits."""
        with self._changed:
            self._requests.append(request)
            if request.accepted:
                self._accepted_events += len(request.events)
            self._changed.notify_all()

    def requests(self) -> list[VendorRequest]:
        """All that were received, in the order in which they were read."""
        with self._changed:
            return list(self._requests)

    def events(self, *, accepted: bool) -> list[Event]:
        """The events of the requests, or of the accepted ones only."""
        return [event for request in self._wanted(accepted=accepted) for event in request.events]

    def orders(self, *, accepted: bool) -> Counter[str]:
        """How often each orderId came, in all requests or in the accepted ones only."""
        return Counter(order_id for request in self._wanted(accepted=accepted) for order_id in request.order_ids)

    def _wanted(self, *, accepted: bool) -> list[VendorRequest]:
        return [request for request in self.requests() if request.accepted or not accepted]

    def wait_for_events(self, count: int, timeout: float) -> None:
        """Until `count` events were accepted; `TimeoutError` after `timeout` seconds."""
        self.wait_for(lambda: self._accepted_events >= count, timeout)

    def wait_for(self, predicate: Callable[[], bool], timeout: float) -> None:
        """Until `predicate`, asked after every request, is true; `TimeoutError` after `timeout` seconds."""
        with self._changed:
            started = time.monotonic()
            if self._changed.wait_for(predicate, timeout):
                return
            raise TimeoutError(
                f"waited {time.monotonic() - started:.1f} s: got {len(self._requests)} requests, "
                f"{self._accepted_events} events accepted"
            )
