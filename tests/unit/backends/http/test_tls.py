from __future__ import annotations

import pytest

from django_vt.exceptions import DeliveryError
from django_vt.protocol.outcome import Reply
from django_vt.testing import FakeVendor
from tests.support.delivering import configure
from tests.support.tls import certificate, handshake
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
    protocol_version = b"\x15\x03\x01\x00\x02\x02\x46"  # the alert of a server that wants a newer TLS
    with handshake(protocol_version) as endpoint:
        configure(settings, ENDPOINT=endpoint, TIMEOUT=(5, 5))
        with pytest.raises(DeliveryError) as failure:
            backend.send(login())
    assert failure.value.reason == "tls version"
