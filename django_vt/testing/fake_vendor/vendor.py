"""`FakeVendor`: the vendor's event endpoint on loopback, for tests, demos and work without a network."""

from __future__ import annotations

import random
import ssl
from collections import Counter
from collections.abc import Callable
from os import PathLike
from types import TracebackType
from typing import Any

from .conversation import Conversation
from .ledger import Event, Ledger
from .listener import HOST, Listener
from .misbehaviour import Misbehaviour
from .protocol import ENDPOINT_PATH
from .request import VendorRequest
from .rules import Condition, Rule, Rules

Path = str | PathLike[str]


class FakeVendor:
    """A real HTTP/1.1 server on 127.0.0.1 that speaks the vendor's endpoint and keeps what it got.

    For example::

        with FakeVendor() as vendor:
            requests.get(f"{vendor.endpoint}/acc123/login", params={"data": '[{"type": "login", ...}]', "ts": 1})
            vendor.wait_for(1)
            assert vendor.events[0]["type"] == "login"

    It answers as the vendor's document says, a request that breaks the document's rules with 400 (see `violations`),
    and badly when told to (see `misbehave`).

    `port`: None lets the system choose. `tls`: the paths of a certificate chain and its key (PEM); the endpoint is
    https then. `on_request` is called with every request that was read, in the connection's thread, before the answer.
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        tls: tuple[Path, Path] | None = None,
        on_request: Callable[[VendorRequest], Any] | None = None,
    ) -> None:
        self._wanted_port = port or 0
        self._tls = _server_context(*tls) if tls else None
        self._on_request = on_request
        self._rules = Rules()
        self._ledger = Ledger()
        self._listener: Listener | None = None

    # Life

    def start(self) -> FakeVendor:
        """Listen; `OSError` where the port is taken, `RuntimeError` where it was started already."""
        if self._listener:
            raise RuntimeError("this FakeVendor has been started already")
        self._listener = Listener(self._wanted_port, Conversation(self._rules, self._keep, self._tls).hold)
        self._listener.accept()
        return self

    def stop(self) -> None:
        """End every connection, hung ones too, and give back the port; what it got can still be read."""
        if self._listener:
            self._listener.close()
            self._listener = None

    def __enter__(self) -> FakeVendor:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """What goes into `DJANGO_VT["ENDPOINT"]`, as `http://127.0.0.1:54321/event`."""
        return f"{'https' if self._tls else 'http'}://{HOST}:{self.port}{ENDPOINT_PATH}"

    @property
    def port(self) -> int:
        """The port it listens on; `RuntimeError` where it isn't started."""
        return self._started().port

    @property
    def connections(self) -> int:
        """How many connections it has accepted since it was started; `RuntimeError` where it isn't."""
        return self._started().connections_accepted

    def _started(self) -> Listener:
        if not self._listener:
            raise RuntimeError("this FakeVendor isn't started")
        return self._listener

    # What it got

    @property
    def requests(self) -> list[VendorRequest]:
        """Every request that was received, that is, read whole, whatever the answer; oldest first."""
        return self._ledger.requests()

    @property
    def events(self) -> list[Event]:
        """The events of the accepted requests, oldest first."""
        return self._ledger.events(accepted=True)

    @property
    def received_events(self) -> list[Event]:
        """The events of all requests, also of those that were answered with an error or not at all."""
        return self._ledger.events(accepted=False)

    @property
    def orders(self) -> Counter[str]:
        """How often each orderId was received in a confirmation. The vendor itself counts an order once."""
        return self._ledger.orders(accepted=False)

    @property
    def accepted_orders(self) -> Counter[str]:
        """How often each orderId was accepted."""
        return self._ledger.orders(accepted=True)

    @property
    def violations(self) -> list[str]:
        """Where requests broke the document's rules, as `data[0].type: not the path's`."""
        return [violation for request in self.requests for violation in request.violations]

    def wait_for(self, wanted: int | Callable[[FakeVendor], bool], timeout: float = 5.0) -> None:
        """Wait until `wanted` events were accepted, or until `wanted`, a predicate, is true.

        The predicate is asked again after each request. `TimeoutError` after `timeout` seconds::

            vendor.wait_for(3)
            vendor.wait_for(lambda vendor: vendor.orders["100023"] == 2, timeout=1)
        """
        if isinstance(wanted, int):
            self._ledger.wait_for_events(wanted, timeout)
        else:
            self._ledger.wait_for(lambda: wanted(self), timeout)

    def _keep(self, request: VendorRequest) -> None:
        self._ledger.add(request)
        if self._on_request:
            self._on_request(request)

    # What it is told

    def misbehave(
        self,
        *misbehaviours: Misbehaviour,
        times: int | None = None,
        share: float = 1.0,
        when: Condition | None = None,
        seed: int = 0,
    ) -> None:
        """Treat requests badly.

        All of them from now on, or the next `times`, or a `share` of them (0.3 for 30 %, drawn from `seed`), or those
        for which `when(request)` is true; of several `misbehaviours` one is drawn each time::

            vendor.misbehave(Answer(503, retry_after=120), times=3)
            vendor.misbehave(Hang(), ResetAfterReading(), Answer(500), share=0.3, seed=7)
            vendor.misbehave(Answer(400), when=lambda request: "100023" in request.order_ids)

        May be told several times: rules without `when` are asked first, as they need not wait until the request is
        read; among each sort the first told wins. `ValueError` for `times` below 1, a `share` that is not above 0 and
        at most 1, no misbehaviour at all, or `when` with `ResetBeforeReading`.
        """
        self._rules.add(Rule(misbehaviours, times, share, when, random.Random(seed)))  # noqa: S311 - to be repeated, not to be unguessable

    def behave(self) -> None:
        """Take back every `misbehave()`; requests in hand are finished as they were begun."""
        self._rules.clear()

    def refuse(self) -> None:
        """Refuse connections, and end the open ones, as a server that is down. The port stays taken."""
        self._started().refuse()

    def accept(self) -> None:
        """Accept connections again after `refuse()`."""
        self._started().accept()

    def reset(self) -> None:
        """Forget what it got and was told, as if just started."""
        self.behave()
        self._ledger.clear()
        self.accept()


def _server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
