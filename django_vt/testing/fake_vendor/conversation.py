"""What happens on one connection, from its first byte to its end."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace

from .connection import ClientGone, Connection
from .misbehaviour import Misbehaviour, ResetBeforeReading
from .protocol import BAD_REQUEST, NotHTTP, Reply, read_request, usual_reply
from .request import VendorRequest
from .rules import Rules


class Conversation:
    """Reads requests, keeps them, and answers them as the rules say. Keeps no state between requests."""

    def __init__(self, rules: Rules, keep: Callable[[VendorRequest], None], tls: ssl.SSLContext | None = None) -> None:
        self._rules = rules
        self._keep = keep
        self._tls = tls

    def hold(self, connection: Connection) -> None:
        """Serve the connection until one of the two sides ends it."""
        try:
            if self._tls:
                connection.start_tls(self._tls)
            while connection.has_request() and self._exchange(connection):
                pass
        except ClientGone:
            pass  # how most connections end

    def _exchange(self, connection: Connection) -> bool:
        """One request and its answer; True if another may follow."""
        misbehaviour = self._rules.before_reading()
        if isinstance(misbehaviour, ResetBeforeReading):
            return misbehaviour.answer(connection, BAD_REQUEST)
        try:
            request = read_request(connection.read_head())
        except NotHTTP:
            connection.send(BAD_REQUEST.to_bytes())
            return False
        connection.discard(request.content_length)
        misbehaviour = misbehaviour or self._rules.after_reading(request)
        reply = usual_reply(request)
        # Kept before it is answered: who has the answer finds the request in the records.
        self._keep(replace(request, accepted=reply.status == 200 and _keeps_events(misbehaviour)))
        return _answer(connection, reply, misbehaviour) and request.keeps_alive


def _keeps_events(misbehaviour: Misbehaviour | None) -> bool:
    return misbehaviour is None or misbehaviour.keeps_events


def _answer(connection: Connection, reply: Reply, misbehaviour: Misbehaviour | None) -> bool:
    if misbehaviour:
        return misbehaviour.answer(connection, reply)
    connection.send(reply.to_bytes())
    return True
