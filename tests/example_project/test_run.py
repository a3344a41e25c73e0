from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import pytest
import requests

from example_project.browser import Browser
from example_project.preparation import STAFF
from example_project.run import free_port
from example_project.shop_server import ShopFailed
from tests.example_project.conftest import Start, read_until

pytestmark = [pytest.mark.process, pytest.mark.once]


@pytest.fixture
def shop_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def shop_address(welcome: str) -> str:
    found = re.search(r"The shop +(http://\S+)/", welcome)
    assert found
    return found[1]


def test_shop_and_vendor_run_until_they_are_stopped(start: Start, tmp_path: Path, shop_port: int) -> None:
    running = start("-m", "example_project.run", "--directory", tmp_path, "--port", str(shop_port))
    shop = shop_address(read_until(running, "Ctrl-C"))
    with Browser(shop) as browser:
        assert "Teas worth" in browser.get("/").text
        assert "color-scheme" in browser.get("/static/shop/shop.css").text
        browser.submit("/sign-up/", email="eve@example.com", password1="two-steeps", password2="two-steeps")
        assert '"eve@example.com"' in read_until(running, '"email"')
        browser.submit("/visitor/", "/visitor/pixel/set/")
        browser.submit("/", "/basket/earl-grey/buy-now/")
        browser.submit("/checkout/", name="Eve", email="eve@example.com", address="Rome")
        printed = read_until(running, '"orderId"')
        assert "GET /event/example-shop/confirmation" in printed
        assert f'"userId": "{browser.cookie("_vt_user").split("_")[0]}"' in printed

    running.send_signal(signal.SIGINT)
    output, errors = running.communicate()
    assert (running.returncode, errors) == (0, "")
    assert "Stopped." in output
    with pytest.raises(requests.ConnectionError):
        requests.get(shop, timeout=5)


def test_the_admins_login_works_and_the_database_is_kept(start: Start, tmp_path: Path, shop_port: int) -> None:
    for expected in ("None yet", "100001"):
        running = start("-m", "example_project.run", "--directory", tmp_path, "--port", str(shop_port))
        welcome = read_until(running, "Ctrl-C")
        staff = re.search(r"its login +(\S+), password (\S+)", welcome)
        shopper = re.search(r"a shopper +(\S+), password (\S+)", welcome)
        assert staff
        assert shopper
        with Browser(shop_address(welcome)) as browser:
            browser.submit("/admin/login/", username=staff[1], password=staff[2])
            assert "Send log" in browser.get("/admin/").text
        with Browser(shop_address(welcome)) as browser:
            browser.submit("/sign-in/", username=shopper[1], password=shopper[2])
            assert expected in browser.get("/orders/").text
            browser.submit("/", "/basket/earl-grey/buy-now/")
            browser.submit("/checkout/", name="Ada", email=shopper[1], address="London")
        running.send_signal(signal.SIGTERM)
        running.communicate()
        assert running.returncode == 143


def test_what_it_says_to_click_is_on_the_pages(start: Start, tmp_path: Path, shop_port: int) -> None:
    running = start("-m", "example_project.run", "--directory", tmp_path, "--port", str(shop_port))
    welcome = read_until(running, "Ctrl-C")
    with Browser(shop_address(welcome)) as browser:
        shop = browser.get("/").text + browser.get("/visitor/").text
        browser.submit("/", "/basket/earl-grey/buy-now/")
        shop += browser.get("/checkout/").text
        browser.submit("/admin/login/", username=STAFF["username"], password=STAFF["password"])
        admin = browser.get("/admin/").text
    named = re.findall(r'"([^"]+)"', welcome)
    assert [name for name in named if f">{name}" not in shop + admin] == []
    assert named == ["Visitor", "Set the cookie", "Teas", "Buy now", "Place the order", "Send log"]


def test_the_next_free_port_is_taken_where_the_wanted_one_is_in_use(shop_port: int) -> None:
    assert free_port(shop_port) == shop_port
    with socket.socket() as other:
        other.bind(("127.0.0.1", shop_port))
        other.listen()
        assert shop_port < free_port(shop_port) < shop_port + 100


def test_a_machine_without_a_free_port_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: object) -> None:
        raise OSError

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(ShopFailed, match="No port from 8000 to 8099 is free"):
        free_port(8000)
