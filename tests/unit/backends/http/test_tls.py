from __future__ import annotations

import socket
import threading

import pytest

from django_vt.exceptions import DeliveryError
from django_vt.protocol.outcome import Reply
from django_vt.testing import FakeVendor
from tests.support.delivering import configure
from tests.support.tls import certificate
from tests.unit.backends.requests_to import login

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize("names", [["127.0.0.1"], ["other.example"]])
def test_only_a_certificate_that_is_trusted_and_of_that_name_is_accepted(  # noqa: PLR0917
    vendor, backend, settings, monkeypatch, tmp_path, names
):
    server, authority = certificate(tmp_path, *names)
    with FakeVendor(tls=server) as stranger:
        configure(settings, ENDPOINT=stranger.endpoint, TIMEOUT=(2, 2))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
        with pytest.raises(DeliveryError, match="tls"):
            backend.send(login())
        assert stranger.requests == []
        if names == ["127.0.0.1"]:
            configure(settings, TRUST_ENV=True, ENDPOINT=f"{stranger.endpoint}/")
            assert backend.send(login()) == Reply(200)
        else:
            configure(settings, TRUST_ENV=True, ENDPOINT=f"{stranger.endpoint}/")
            with pytest.raises(DeliveryError, match="tls"):
                backend.send(login())
            assert stranger.requests == []


def test_a_tls_version_that_is_refused_is_called_that(backend, settings):
    """The server here answers the handshake with the alert `protocol_version`, as one does that wants a newer TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        configure(settings, ENDPOINT=f"https://127.0.0.1:{server.getsockname()[1]}/event", TIMEOUT=(5, 5))

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")

        refusing = threading.Thread(target=refuse)
        refusing.start()
        with pytest.raises(DeliveryError) as failure:
            backend.send(login())
        refusing.join()
    assert failure.value.reason == "tls version"
