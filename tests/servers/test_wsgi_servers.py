"""The thread dispatcher under gunicorn and uWSGI, which load the shop once and fork it then."""

from __future__ import annotations

import re

import pytest
import requests

from django_vt.models import SendLogEntry
from tests.servers.conftest import PATIENCE, Process, Start

pytestmark = [pytest.mark.process, pytest.mark.server, pytest.mark.newest]

APPLICATION = "tests.projects.wsgi.application:application"
GUNICORN = ("-m", "gunicorn", "--preload", "--workers=2", "--bind=127.0.0.1:0", "--no-control-socket", APPLICATION)
UWSGI = (
    *("-c", "import pyuwsgi; pyuwsgi.run()", "--http-socket=127.0.0.1:0", "--master", "--processes=2"),
    *("--need-app", "--die-on-term", f"--module={APPLICATION}"),
)
LISTENING = re.compile(r"127\.0\.0\.1:(\d+)")
ORDERS = {str(number): 1 for number in range(10)}


@pytest.fixture
def serve(start, fake_vendor) -> Start:
    """Starts a server."""

    def serve(*arguments: str) -> Process:
        server = start(
            *arguments,
            DJANGO_SETTINGS_MODULE="tests.projects.wsgi.settings",
            VT_ENDPOINT=fake_vendor.endpoint,
            PYTHONDEVMODE="",
        )
        server.wait_until(LISTENING.search)
        return server

    return serve


def buy(server: Process, number: str) -> None:
    port = LISTENING.search(server.said)[1]
    details = {"number": number, "email": "buyer@example.com"}
    assert requests.post(f"http://127.0.0.1:{port}/buy/", details, timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize(
    "command", [GUNICORN, (*UWSGI, "--enable-threads")], ids=["gunicorn with preload", "uwsgi with threads"]
)
def test_forked_workers_deliver_what_they_sell(serve, fake_vendor, command):
    server = serve(*command)
    for number in ORDERS:
        buy(server, number)
    fake_vendor.wait_for(len(ORDERS), timeout=PATIENCE)
    assert fake_vendor.orders == ORDERS
    server.wait_until(lambda _said: SendLogEntry.objects.filter(status="sent").count() == len(ORDERS))
    assert server.end() == 0


def test_under_uwsgi_without_threads_an_error_says_so_and_the_order_waits(serve, fake_vendor):
    server = serve(*UWSGI)
    buy(server, "100023")
    server.wait_until(lambda said: "enable-threads = true" in said)
    assert server.end() == 0
    assert fake_vendor.requests == []
    assert SendLogEntry.objects.get().status == "pending"
