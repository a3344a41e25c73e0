from __future__ import annotations

import pytest

from tests.unit.checks.conftest import ids

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://app.vtcdn.net/event",
        "https://app.vtcdn.net/event/",
        "HTTPS://app.vtcdn.net:8443",
        "http://localhost:8765/event",
        "http://127.0.0.1/event",
        "http://127.200.3.4:1/event",
        "http://[::1]:8765/event",
    ],
)
def test_https_and_plain_http_to_this_machine_are_found_good(found, endpoint):
    assert found(ENDPOINT=endpoint) == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "/event",
        "app.vtcdn.net/event",
        "//app.vtcdn.net/event",
        "ftp://app.vtcdn.net/event",
        "https:///event",
        "https://[::1/event",
        "https://app.vtcdn.net:port/event",
        "https://app.vtcdn.net:99999/event",
        "https://app.vtcdn.net/event\n",
        "https://app.vtcdn.net/an event",
        "https://exämple.com/event",
        "https://app.vtcdn.net/event?",
        "https://app.vtcdn.net/event?a=b",
        "https://app.vtcdn.net/event#top",
        "https://shop:secret@app.vtcdn.net/event",
        "https://shop@app.vtcdn.net/event",
        "https://app.vtcdn.net/" + "x" * 234,
    ],
)
def test_anything_but_an_absolute_url_without_frills_is_an_error(found, endpoint):
    [message] = found(ENDPOINT=endpoint)
    assert message.id == "django_vt.E006"
    assert message.msg.startswith('DJANGO_VT["ENDPOINT"] ')
    assert "secret" not in message.msg


@pytest.mark.parametrize(
    "host", ["app.vtcdn.net", "10.0.0.1", "0.0.0.0", "localhost.example.com", "128.0.0.1", "[::2]", "127.1"]
)
def test_plain_http_to_another_machine_is_an_error(found, host):
    assert ids(found(ENDPOINT=f"http://{host}/event")) == ["E007"]


def test_an_address_as_long_as_its_column_is_found_good(found):
    assert found(ENDPOINT="https://app.vtcdn.net/" + "x" * 233) == []
