"""An async shop under uvicorn: orders, logins, payments, and two thousand visitors at once."""

from __future__ import annotations

import asyncio
import re
import resource
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User

from django_vt.models import RememberedIdentity, SendLogEntry
from tests.projects.shop.models import Order
from tests.support.ordering import BUYER, PIXEL, PIXEL_COOKIE

pytestmark = [pytest.mark.process, pytest.mark.server, pytest.mark.newest]

VISITORS = 2000
LISTENING = re.compile(r"http://127\.0\.0\.1:(\d+)")


@pytest.fixture
def port(start, transactional_db) -> int:
    server = start(
        *("-m", "uvicorn", "tests.projects.asgi.application:application", "--port=0", "--backlog=4096"),
        DJANGO_SETTINGS_MODULE="tests.projects.asgi.settings",
        PYTHONDEVMODE="",
    )
    server.wait_until(LISTENING.search)
    return int(LISTENING.search(server.said)[1])


@pytest.fixture
def _room_for_connections() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = VISITORS + 500
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def request_text(path: str, cookie: str, fields: dict[str, str]) -> bytes:
    body = urlencode(fields)
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: close",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        *([f"Cookie: {cookie}"] if cookie else []),
    ]
    return "\r\n".join([*lines, "", body]).encode()


async def apost(port: int, path: str, cookie: str = "", **fields: str) -> int:
    """The status of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request_text(path, cookie, fields))
        await writer.drain()
        answer = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    return int(answer.split(b" ", 2)[1])


def post(port: int, path: str, cookie: str = "", **fields: str) -> int:
    return asyncio.run(apost(port, path, cookie, **fields))


def recorded() -> list[tuple[str, str, str]]:
    return list(SendLogEntry.objects.order_by("pk").values_list("event_type", "reference", "identity"))


@pytest.mark.parametrize("path", ["/buy/", "/buy-sync/"])
def test_an_order_is_recorded_with_its_request(port, path):
    assert post(port, path, f"_vt_user={PIXEL_COOKIE}", number="100023") == 200
    assert ("confirmation", "100023", PIXEL.stored_form) in recorded()
    assert Order.objects.get().number == "100023"


def test_a_login_by_alogin_is_recorded_once(port):
    User.objects.create_user("shopper", BUYER, "two-steeps-please")
    assert post(port, "/sign-in/", username="shopper", password="two-steeps-please") == 200
    assert recorded() == [("login", "", f"email:{BUYER}")]


def test_a_payments_callback_carries_the_shoppers_pixel_ids(port):
    assert post(port, "/go-to-pay/", f"_vt_user={PIXEL_COOKIE}", number="100023") == 200
    assert post(port, "/payment-callback/", number="100023") == 200
    assert recorded() == [("confirmation", "100023", PIXEL.stored_form)]
    assert not RememberedIdentity.objects.exists()


async def all_at_once(port: int) -> list[int]:
    return await asyncio.gather(
        *(apost(port, "/buy/", f"_vt_user={visitor}_9{visitor}", number=str(visitor)) for visitor in range(VISITORS))
    )


@pytest.mark.usefixtures("_room_for_connections")
def test_no_event_of_two_thousand_visitors_at_once_carries_anothers_identity(port):
    assert asyncio.run(all_at_once(port), debug=False) == [200] * VISITORS
    expected = [
        (event_type, str(visitor), f"pixel:{visitor}_9{visitor}")
        for event_type in ("confirmation", "wishlist")
        for visitor in range(VISITORS)
    ]
    assert sorted(recorded()) == sorted(expected)
