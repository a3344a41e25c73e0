"""A total deadline for a request. The time-outs of requests are per read, so a slow drip never exceeds one."""

from __future__ import annotations

import contextlib
import http.client
import logging
import math
import socket
import threading
import time
from collections.abc import Callable
from contextvars import Context, ContextVar
from types import TracebackType
from typing import Any

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.response import HTTPResponse

from django_vt.backends.http._wire import DiscreetConnection

LONGEST_LINE = 65536  # bytes, as in http.client

_current: ContextVar[Deadline | None] = ContextVar("django_vt_deadline", default=None)


class Deadline:
    """The deadline of the request in a `with` block: after `seconds`, the watchdog shuts down its socket."""

    def __init__(self, watchdog: Watchdog, seconds: float) -> None:
        self.passed = False
        self.is_answered = False  # whether the first line of an answer has come
        self.is_kept = False  # whether the connection has carried another request before
        self._watchdog = watchdog
        self._seconds = seconds
        self._ends_at = time.monotonic() + seconds
        self._turn = threading.Lock()
        self._connection: HTTPConnection | None = None

    def __enter__(self) -> Deadline:
        self._watchdog.set(self._pass, self._seconds)
        self._token = _current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._watchdog.cancel(self._pass)
        _current.reset(self._token)
        with self._turn:
            # From now on, another request may use the connection.
            self._connection = None

    def watch(self, connection: HTTPConnection) -> None:
        """Note the connection that the request uses."""
        with self._turn:
            self._connection = connection
        self.check()

    @property
    def left(self) -> float:
        """Seconds until the deadline; a little above 0 if it is over, because 0 makes a socket non-blocking."""
        return max(self._ends_at - time.monotonic(), 0.001)

    def check(self) -> None:
        """Raise `TimeoutError`, as a read's time-out does, if the deadline has passed."""
        if self.passed:
            raise TimeoutError

    def _pass(self) -> None:
        with self._turn:
            self.passed = True
            sock = self._connection.sock if self._connection else None
            if sock is not None:
                # shutdown() wakes a thread that reads from the socket; close() would not.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(_plain(sock), socket.SHUT_RDWR)


def _plain(sock: Any) -> socket.socket:
    """The socket inside urllib3's wrappers, such as that for TLS through a proxy which is itself reached by TLS."""
    inner: socket.socket = getattr(sock, "socket", sock)
    return inner


class _AwaitedResponse(http.client.HTTPResponse):
    """Waits for the final answer, and notes when the first line of any answer has come.

    Python treats every 1xx except 100 as the final answer, but the vendor's proxy may send `103 Early Hints` first.
    """

    def _read_status(self) -> tuple[str, int, str]:
        """Read the first line; all supported versions of Python call this from `http.client`."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            deadline = _current.get()
            if deadline is not None:
                deadline.is_answered = True
                deadline.check()
            if not 100 <= status < 200:
                return version, status, reason
            # Skip the interim answer's headers.
            while self.fp.readline(LONGEST_LINE).strip():
                pass


class _Watched(DiscreetConnection):
    response_class = _AwaitedResponse
    has_answered = False

    def connect(self) -> None:
        deadline = _current.get()
        if deadline is None:
            super().connect()
            return
        # Watch before connecting, because a TLS handshake can be slow too.
        deadline.watch(self)
        super().connect()
        # Re-check: if the deadline passed during `connect()`, the watchdog had no socket to close.
        deadline.check()

    def _new_conn(self) -> socket.socket:
        """Try the host's addresses one after another, but none after the deadline.

        urllib3 gives each address the whole time-out, so ten dead addresses would take ten times as long.
        """
        deadline = _current.get()
        if deadline is None:
            return super()._new_conn()
        name, seconds = self._dns_host, self.timeout
        try:
            found = socket.getaddrinfo(name, self.port, type=socket.SOCK_STREAM)
            for _family, _type, _protocol, _name, address in found[:-1]:
                with contextlib.suppress(NewConnectionError, ConnectTimeoutError):
                    return self._connected_to(str(address[0]), seconds, deadline)
                deadline.check()
            return self._connected_to(str(found[-1][-1][0]), seconds, deadline)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        finally:
            self._dns_host, self.timeout = name, seconds

    def _connected_to(self, address: str, seconds: Any, deadline: Deadline) -> socket.socket:
        self._dns_host = address
        self.timeout = min(seconds, deadline.left) if isinstance(seconds, (int, float)) else deadline.left
        return super()._new_conn()

    def request(self, *args: Any, **options: Any) -> None:
        deadline = _current.get()
        if deadline is not None:
            deadline.is_kept = self.has_answered
            deadline.watch(self)
        super().request(*args, **options)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as in urllib3
        response = super().getresponse()
        self.has_answered = True
        return response


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass


class _WatchedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class DeadlineAdapter(HTTPAdapter):
    """requests' transport with connections that a `Deadline` can end, through a proxy too.

    It gives urllib3 the URL without its query, which `_wire.py` adds again. The library `responses` replaces `send` in
    shops' tests, and still sees the whole URL.
    """

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:
        """The target in the request line, without the query."""
        return super().request_url(request, proxies).partition("?")[0]

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """As in requests, with the watched pools."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """As in requests, with the watched pools."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


_POOLS = {"http": _WatchedHTTPPool, "https": _WatchedHTTPSPool}


# One thread per backend ends the requests that have exceeded their deadline.
#
# Starting a thread for each request, as `threading.Timer` does, would take as long as many requests take.
#

logger = logging.getLogger(__name__)

Alarm = Callable[[], None]


class Watchdog:
    """Calls alarms when they are due. Its thread starts with the first alarm, and ends without alarms or on `close`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._alarms: dict[Alarm, float] = {}
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def set(self, alarm: Alarm, seconds: float) -> None:
        """Have the watchdog's thread call `alarm` after `seconds`."""
        at = time.monotonic() + seconds
        with self._changed:
            self._alarms[alarm] = at
            if self._thread is None:
                # Use an empty context: free-threaded Python would copy the caller's, and keep its event alive.
                run = Context().run
                thread = threading.Thread(target=run, args=(self._watch,), name="django-vt-watchdog", daemon=True)
                thread.start()
                self._thread = thread
            elif at < self._wakes_at:
                self._changed.notify()

    def cancel(self, alarm: Alarm) -> None:
        """Cancel the alarm. The thread is not woken for this."""
        with self._changed:
            self._alarms.pop(alarm, None)

    def close(self) -> None:
        """Cancel all alarms, and end the thread."""
        with self._changed:
            thread = self._thread
            self._alarms.clear()
            self._changed.notify()
        if thread is not None:
            thread.join()

    def _watch(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                passed = [alarm for alarm, at in self._alarms.items() if at <= now]
                for alarm in passed:
                    del self._alarms[alarm]
                if not passed and not self._alarms:
                    self._thread = None
                    return
                if not passed:
                    self._wakes_at = min(self._alarms.values())
                    self._changed.wait(self._wakes_at - now)
            for alarm in passed:
                _sound(alarm)


def _sound(alarm: Alarm) -> None:
    try:
        alarm()
    except Exception as error:  # noqa: BLE001 - the other deadlines need this thread
        logger.error("A request's deadline could not be kept: %s", type(error).__name__)
