"""The backend that sends requests to the vendor, with the library requests."""

from __future__ import annotations

import socket
import ssl
import threading
from typing import Any

import requests
import urllib3
from urllib3.exceptions import NameResolutionError

from django_vt.backends.base import Backend
from django_vt.backends.http._deadline import Deadline, DeadlineAdapter, Watchdog
from django_vt.backends.http._wire import queries_kept_out_of_logs, query_on_the_wire
from django_vt.conf import settings
from django_vt.exceptions import DeliveryError
from django_vt.protocol import reasons
from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest, is_readable_on_the_way

BODY_LIMIT = 4096  # bytes; the body is ignored, and read only so that the connection can be used again


class HttpBackend(Backend):
    """Sends a GET over verified TLS. It follows no redirect, and the sum of TIMEOUT is the total deadline.

    A request is repeated in one case only: if the server closes a kept connection before the first byte of an answer.
    Then the connection was idle for too long, as happens with every server.
    """

    def __init__(self) -> None:
        self._of_thread = threading.local()
        self._lines: list[_Line] = []
        self._watchdog = Watchdog()

    def send(self, request: OutgoingRequest) -> Reply:
        """Send one GET. No error of requests or urllib3 is raised, because its text holds the whole URL.

        Refuse plain http to another machine. A system check refuses it too, but web servers do not run the checks.
        """
        if is_readable_on_the_way(settings.ENDPOINT):
            raise DeliveryError(reasons.PLAIN_HTTP)
        with queries_kept_out_of_logs(), Deadline(self._watchdog, settings.deadline) as deadline:
            try:
                return self._line().get(request.url, deadline)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                reason = reasons.TIMED_OUT if deadline.passed else reason_for(error)
        raise DeliveryError(reason)

    def close(self) -> None:
        """Close the connections of all threads, and end the watchdog's thread."""
        self._watchdog.close()
        while self._lines:
            self._lines.pop().close()

    def _line(self) -> _Line:
        # One session for each thread: they are not thread-safe.
        line: _Line | None = getattr(self._of_thread, "line", None)
        if line is None or line.endpoint != settings.ENDPOINT:
            line = self._of_thread.line = _Line(settings.ENDPOINT)
            self._lines.append(line)
        return line


class _Line:
    """A thread's connections to an endpoint. A request is prepared only once: for an 8 kB URL that takes 1 ms."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._session = requests.Session()
        self._session.trust_env = settings.TRUST_ENV
        self._adapter = DeadlineAdapter(max_retries=0)
        self._session.mount("http://", self._adapter)
        self._session.mount("https://", self._adapter)
        self._prepared = self._session.prepare_request(requests.Request("GET", endpoint))
        self._environment: dict[str, Any] = dict(
            self._session.merge_environment_settings(endpoint, proxies={}, stream=True, verify=None, cert=None)
        )

    def get(self, url: str, deadline: Deadline) -> Reply:
        # Not Session.send: it reads a redirect's body whole, follows .netrc and keeps the vendor's cookies.
        prepared = self._prepared.copy()
        prepared.url = url
        connect, read = settings.TIMEOUT
        with query_on_the_wire(url.partition("?")[2]):
            try:
                response = self._adapter.send(prepared, timeout=(connect, read), **self._environment)
            except requests.ConnectionError as error:
                if not _was_closed_while_idle(error, deadline):
                    raise
                # This uses a new connection: the pool drops the one that failed.
                response = self._adapter.send(prepared, timeout=(connect, read), **self._environment)
        try:
            # If the watchdog has cut off the headers, they would still look complete.
            deadline.check()
            return Reply(response.status_code, response.headers.get("Retry-After"))
        finally:
            _read_a_little(response)

    def close(self) -> None:
        self._session.close()


def _was_closed_while_idle(error: requests.ConnectionError, deadline: Deadline) -> bool:
    """Whether a kept connection ended before the first byte of the answer, and not because of the deadline."""
    ended = any(isinstance(cause, (ConnectionError, ssl.SSLEOFError)) for cause in _causes(error))
    return deadline.is_kept and ended and not (deadline.is_answered or deadline.passed)


def _read_a_little(response: requests.Response) -> None:
    """Read a small body to its end, so that the connection can be used again; otherwise close the connection.

    The status is known already, so an error in the body changes nothing for the events.
    """
    try:
        response.raw.read(BODY_LIMIT, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        pass
    finally:
        response.close()


def reason_for(error: BaseException) -> str:
    """The reason, from the closed list, for an error of requests, urllib3 or the socket."""
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLError) and cause.reason in REFUSED_VERSIONS for cause in causes):
        return reasons.TLS_VERSION
    for kinds, reason in REASON_OF_CAUSE:
        if any(isinstance(cause, kinds) for cause in causes):
            return reason
    return reasons.BROKEN


# OpenSSL's names: the server refuses our TLS versions, or offers one that is disabled here.
REFUSED_VERSIONS = frozenset(
    {"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "WRONG_SSL_VERSION"}
)
REASON_OF_CAUSE: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((requests.exceptions.SSLError, urllib3.exceptions.SSLError), reasons.TLS),
    ((NameResolutionError, socket.gaierror), reasons.UNKNOWN_HOST),
    # Before the time-outs: urllib3 counts a refused connection among them.
    ((urllib3.exceptions.NewConnectionError,), reasons.UNREACHABLE),
    ((requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), reasons.TIMED_OUT),
    ((requests.exceptions.ProxyError,), reasons.UNREACHABLE),
)


def _causes(error: BaseException) -> list[BaseException]:
    """The error and all errors that it wraps as cause, context, argument or a retry's `reason`."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        candidate = waiting.pop()
        if isinstance(candidate, BaseException) and candidate not in found:
            found.append(candidate)
            waiting += [candidate.__cause__, candidate.__context__, getattr(candidate, "reason", None), *candidate.args]
    return found
