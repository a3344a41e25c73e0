"""The stand-in's listening socket: accepts connections, refuses them, and keeps its port meanwhile."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from .connection import Connection

HOST = "127.0.0.1"
BACKLOG = 1_024


class Listener:
    """Listens on loopback and gives each connection a thread that runs `serve`.

    Opened by its constructor, refusing until `accept()`.
    """

    def __init__(self, port: int, serve: Callable[[Connection], None]) -> None:
        self._serve = serve
        self._socket = self._bound_socket(port)
        self.port: int = self._socket.getsockname()[1]
        self.connections_accepted = 0
        self._accepting: threading.Thread | None = None
        self._paused = threading.Event()
        self._live: dict[Connection, threading.Thread] = {}
        self._live_lock = threading.Lock()

    @staticmethod
    def _bound_socket(port: int) -> socket.socket:
        """Bound but not listening: such a port is taken, and whoever connects to it is refused."""
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((HOST, port))
        except OSError:
            bound.close()
            raise
        return bound

    def accept(self) -> None:
        """Accept connections from now on."""
        if self._accepting:
            return
        self._paused.clear()
        self._socket.listen(BACKLOG)
        self._accepting = threading.Thread(target=self._accept_connections, name="fake-vendor", daemon=True)
        self._accepting.start()

    def refuse(self) -> None:
        """Refuse connections and end those that are open, as a server that is down; the port stays ours."""
        if self._accepting:
            self._stop_listening(self._accepting)
            self._socket = self._bound_socket(self.port)
            self._end_connections()

    def close(self) -> None:
        """Stop for good: every thread has ended and every socket is closed when this returns."""
        if self._accepting:
            self._stop_listening(self._accepting)
        self._socket.close()
        self._end_connections()

    def _accept_connections(self) -> None:
        while True:
            accepted, _ = self._socket.accept()
            if self._paused.is_set():
                accepted.close()
                return
            self.connections_accepted += 1
            self._start_thread(Connection(accepted))

    def _start_thread(self, connection: Connection) -> None:
        thread = threading.Thread(target=self._run, args=(connection,), name="fake-vendor", daemon=True)
        with self._live_lock:
            self._live[connection] = thread
        thread.start()

    def _run(self, connection: Connection) -> None:
        try:
            self._serve(connection)
        finally:
            connection.close()
            with self._live_lock:
                del self._live[connection]

    def _stop_listening(self, accepting: threading.Thread) -> None:
        self._paused.set()
        # Closing a socket doesn't wake a thread that accepts on it; a connection does, on every system.
        socket.create_connection((HOST, self.port)).close()
        accepting.join()
        self._accepting = None
        self._socket.close()

    def _end_connections(self) -> None:
        with self._live_lock:
            live = dict(self._live)
        for connection in live:
            connection.cut()
        for thread in live.values():
            thread.join()
