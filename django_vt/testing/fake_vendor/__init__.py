"""The vendor's event endpoint on loopback: a `FakeVendor` keeps the requests it gets, and fails when told to.

It needs neither Django nor settings. `python -m django_vt.testing.fake_vendor --port 8765` runs it alone.
"""

from __future__ import annotations

import itertools
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from .document import ENDPOINT_PATH, VendorRequest
from .server import HOST, Answer, Hang, Misbehaviour, VendorServer

__all__ = ["Answer", "FakeVendor", "Hang", "Misbehaviour", "VendorRequest"]

Condition = Callable[[VendorRequest], bool]


class FakeVendor:
    """A real HTTP/1.1 server on 127.0.0.1 that behaves like the vendor's endpoint and keeps the requests it gets.

    For example::

        with FakeVendor() as vendor:
            requests.get(f"{vendor.endpoint}/acc123/login", params={"data": '[{"type": "login", ...}]', "ts": 1})
            vendor.wait_for(1)
            assert vendor.events[0]["type"] == "login"

    It answers as the vendor's document says. A request that breaks the document's rules gets a 400 (see `violations`).

    `port`: None lets the system choose. `tls`: the context with its certificate; then the endpoint is https.
    `on_request` is called with every request that was read, in the connection's thread, before the answer.
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        tls: ssl.SSLContext | None = None,
        on_request: Callable[[VendorRequest], Any] | None = None,
    ) -> None:
        self._wanted_port = port or 0
        self._tls = tls
        self._on_request = on_request
        self._server: VendorServer | None = None
        self._changed = threading.Condition()
        self._forget()

    def start(self) -> FakeVendor:
        """Listen. Raises `OSError` if the port is taken, `RuntimeError` if it was started already."""
        if self._server:
            raise RuntimeError("this FakeVendor has been started already")
        self._server = VendorServer(self._wanted_port, self._tls, self._draw, self._keep)
        self._server.accept()
        return self

    def stop(self) -> None:
        """End all connections, even hung ones, and free the port. The requests can still be read."""
        if self._server:
            self._server.end()
            self._server = None

    def __enter__(self) -> FakeVendor:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """The value for `DJANGO_VT["ENDPOINT"]`, such as `http://127.0.0.1:54321/event`."""
        return f"{'https' if self._tls else 'http'}://{HOST}:{self.port}{ENDPOINT_PATH}"

    @property
    def port(self) -> int:
        """The port on which it listens. Raises `RuntimeError` if it is not started."""
        return int(self._started().server_address[1])

    @property
    def connections(self) -> int:
        """The number of connections accepted since the start. Raises `RuntimeError` if it is not started."""
        return self._started().connections

    def _started(self) -> VendorServer:
        if not self._server:
            raise RuntimeError("this FakeVendor isn't started")
        return self._server

    @property
    def requests(self) -> list[VendorRequest]:
        """All requests that were read completely, whatever the answer; the oldest first."""
        with self._changed:
            return list(self._requests)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of the accepted requests, the oldest first."""
        return [event for request in self.requests if request.accepted for event in request.events]

    @property
    def received_events(self) -> list[dict[str, Any]]:
        """The events of all requests, including those answered with an error or not at all."""
        return [event for request in self.requests for event in request.events]

    @property
    def orders(self) -> Counter[str]:
        """How often each orderId was received in a confirmation. The real vendor counts an order once."""
        return Counter(order_id for request in self.requests for order_id in request.order_ids)

    @property
    def accepted_orders(self) -> Counter[str]:
        """How often each orderId was accepted."""
        return Counter(order_id for request in self.requests if request.accepted for order_id in request.order_ids)

    @property
    def violations(self) -> list[str]:
        """Where requests broke the document's rules, such as `data[0].type: not the path's`."""
        return [violation for request in self.requests for violation in request.violations]

    def wait_for(self, wanted: int | Callable[[FakeVendor], bool], timeout: float = 5.0) -> None:
        """Wait until `wanted` events were accepted, or until `wanted`, a predicate, is true.

        The predicate is called again after each request. Raises `TimeoutError` after `timeout` seconds::

            vendor.wait_for(3)
            vendor.wait_for(lambda vendor: vendor.orders["100023"] == 2, timeout=1)
        """
        started = time.monotonic()
        with self._changed:
            if self._changed.wait_for(
                lambda: len(self.events) >= wanted if isinstance(wanted, int) else wanted(self), timeout
            ):
                return
            waited = time.monotonic() - started
            got = f"{len(self.requests)} requests, {len(self.events)} events accepted"
        raise TimeoutError(f"waited {waited:.1f} s: got {got}")

    def _keep(self, request: VendorRequest) -> None:
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
        if self._on_request:
            self._on_request(request)

    def misbehave(self, misbehaviour: Misbehaviour, *, times: int | None = None, when: Condition | None = None) -> None:
        """Apply `misbehaviour` to all requests from now on, the next `times`, or those for which `when` returns True.

        For example::

            vendor.misbehave(Answer(503, retry_after=120), times=3)
            vendor.misbehave(Answer(400), when=lambda request: "100023" in request.order_ids)
            vendor.misbehave(Hang(), when=lambda request: random.random() < 0.3)

        If several calls apply to a request, the earliest call wins. Raises `ValueError` if `times` is below 1.
        """
        if times is not None and times < 1:
            raise ValueError("times: at least 1")
        turns = itertools.count() if times is None else iter(range(times))
        self._rules.append((misbehaviour, when or (lambda request: True), turns))

    def _draw(self, request: VendorRequest) -> Misbehaviour:
        # Without a lock, because a condition may wait, or call `misbehave` itself. Iterators and lists need none.
        for misbehaviour, when, turns in list(self._rules):
            if when(request) and next(turns, None) is not None:
                return misbehaviour
        return Answer()

    def behave(self) -> None:
        """Cancel every `misbehave()`; requests in progress end as they began."""
        self._rules: list[tuple[Misbehaviour, Condition, Iterator[int]]] = []

    def refuse(self) -> None:
        """Refuse connections, and end the open ones, like a server that is down. The port stays taken."""
        server = self._started()
        server.end()
        self._server = VendorServer(self.port, self._tls, self._draw, self._keep)
        self._server.connections = server.connections

    def accept(self) -> None:
        """Accept connections again after `refuse()`."""
        self._started().accept()

    def reset(self) -> None:
        """Forget all requests and every `misbehave()`, as if just started."""
        self._forget()
        self.accept()

    def _forget(self) -> None:
        self.behave()
        with self._changed:
            self._requests: list[VendorRequest] = []
