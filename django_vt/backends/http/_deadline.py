"""A total deadline for a request: requests' own time-outs are per read, and a slow drip never meets one."""

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
    """For the time of a `with` block: after `seconds` the watchdog shuts the socket that the block's request uses."""

    def __init__(self, watchdog: Watchdog, seconds: float) -> None:
        self.passed = False
        self.is_answered = False  # whether a first line of an answer has come
        self.is_kept = False  # whether the request went out over a connection that had carried another
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
            # The connection may be another request's from now on.
            self._connection = None

    def watch(self, connection: HTTPConnection) -> None:
        """The request goes over this connection."""
        with self._turn:
            self._connection = connection
        self.check()

    @property
    def left(self) -> float:
        """Seconds until the deadline; a little above 0 if it is over, as a socket's time-out of 0 means none."""
        return max(self._ends_at - time.monotonic(), 0.001)

    def check(self) -> None:
        """Raise an error like the time-out of a read where it is too late already."""
        if self.passed:
            raise TimeoutError

    def _pass(self) -> None:
        with self._turn:
            self.passed = True
            sock = self._connection.sock if self._connection else None
            if sock is not None:
                # The file descriptor's own shutdown wakes a thread that reads from it; closing would not.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(_plain(sock), socket.SHUT_RDWR)


def _plain(sock: Any) -> socket.socket:
    """What urllib3's stand-ins for a socket hold: the one for TLS through a proxy that is reached by TLS itself."""
    inner: socket.socket = getattr(sock, "socket", sock)
    return inner


class _AwaitedResponse(http.client.HTTPResponse):
    """Waits for the final answer, and notes when a first line of any answer has come.

    Python takes every 1xx but 100 for the answer itself. A vendor's proxy may send `103 Early Hints` before it.
    """

    def _read_status(self) -> tuple[str, int, str]:
        """What `http.client` calls for the first line, in all supported versions of Python."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            deadline = _current.get()
            if deadline is not None:
                deadline.is_answered = True
                deadline.check()
            if not 100 <= status < 200:
                return version, status, reason
            # Pass over the interim answer's headers, of which nothing counts.
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
        # From here on, as the handshake of TLS can drip as well.
        deadline.watch(self)
        super().connect()
        # Re-check: if the deadline passed during `connect()`, the watchdog had no socket to close.
        deadline.check()

    def _new_conn(self) -> socket.socket:
        """Connect to one of the host's addresses after another, and to none after the deadline.

        urllib3 gives each address the whole time-out: ten that do not answer would take ten times as long.
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
    """requests' transport with connections that a `Deadline` can end; through a proxy too.

    It hands urllib3 the address without its query, which `wire.py` puts back. `responses`, which takes the place of
    `send` in shops' tests, still sees all of it.
    """

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:
        """What stands in the request line, without the query."""
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


# The thread that ends requests which have exceeded their deadline: one for all that a backend has under way.
#
# A thread for each request, as `threading.Timer` starts, would take as long as many a request.
#

logger = logging.getLogger(__name__)

Alarm = Callable[[], None]


class Watchdog:
    """Calls alarms when their time has come. Its thread starts with the first and ends when none is set, or closed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._alarms: dict[Alarm, float] = {}
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def set(self, alarm: Alarm, seconds: float) -> None:
        """Call it after so many seconds, from another thread."""
        at = time.monotonic() + seconds
        with self._changed:
            self._alarms[alarm] = at
            if self._thread is None:
                # In an empty context: free-threaded Python would give it the caller's, and an event with it.
                run = Context().run
                thread = threading.Thread(target=run, args=(self._watch,), name="django-vt-watchdog", daemon=True)
                thread.start()
                self._thread = thread
            elif at < self._wakes_at:
                self._changed.notify()

    def cancel(self, alarm: Alarm) -> None:
        """Not any more. The thread is left to find that out by itself."""
        with self._changed:
            self._alarms.pop(alarm, None)

    def close(self) -> None:
        """Cancel all, and end the thread."""
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
