from __future__ import annotations

import socket

import pytest

from tests.support.network_guard import ForeignNetwork, is_local, loopback_only


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost", "", None, b"localhost"])
def test_this_machine_is_local(host):
    assert is_local(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "0.0.0.0", "2001:db8::1", "vendor.example", b"a.example"])
def test_any_other_host_is_not(host):
    assert not is_local(host)


def test_a_foreign_connection_is_refused_and_remembered():
    with loopback_only() as tried, socket.socket() as client:
        with pytest.raises(ForeignNetwork):
            client.connect(("192.0.2.1", 443))
        with pytest.raises(ForeignNetwork):
            client.connect_ex(("192.0.2.1", 443))
    assert tried == ["connect('192.0.2.1')", "connect_ex('192.0.2.1')"]


@pytest.mark.parametrize("name", ["getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"])
def test_a_foreign_name_is_not_looked_up(name):
    arguments = ("vendor.example", 443) if name == "getaddrinfo" else ("vendor.example",)
    with loopback_only() as tried, pytest.raises(ForeignNetwork):
        getattr(socket, name)(*arguments)
    assert tried == [f"{name}('vendor.example')"]


def test_a_server_on_this_machine_is_reached():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        loopback_only() as tried,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()
    assert tried == []


def test_every_test_runs_under_the_guard(foreign_network):
    with pytest.raises(ForeignNetwork):
        socket.getaddrinfo("vendor.example", 443)
    assert foreign_network.pop() == "getaddrinfo('vendor.example')"
