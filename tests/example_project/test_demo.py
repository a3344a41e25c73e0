from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from django_vt import track
from django_vt.events import Login
from django_vt.testing import FakeVendor
from example_project import demo
from example_project.shop_server import ShopFailed
from tests.example_project.conftest import Start, read_until

pytestmark = [pytest.mark.process, pytest.mark.once]


class SilentShop:
    """As much of a ShopServer as a failure asks for."""

    def last_lines(self) -> str:
        return "The shop's last words:\n  goodbye"


@pytest.fixture
def ended_demo(start: Start) -> tuple[int, str, str]:
    process = start("-m", "example_project.demo")
    output, errors = process.communicate()
    return process.returncode, output, errors


def events_in(output: str) -> Iterator[dict[str, Any]]:
    for block in re.findall(r"^ +\{.*(?:\n +[{\"].*)*", output, re.MULTILINE):
        yield json.loads(block)


def test_the_demo_shows_what_arrived_on_one_page_of_a_terminal(
    ended_demo: tuple[int, str, str], tmp_path: Path
) -> None:
    status, output, errors = ended_demo
    assert (status, errors) == (0, "")
    assert output.isascii()
    assert len(output.splitlines()) <= 24
    assert [line for line in output.splitlines() if len(line) > 79] == []
    assert "GET /event/example-shop/login\n" in output
    assert "GET /event/example-shop/confirmation\n" in output

    login, confirmation = events_in(output)
    assert login == {"type": "login", "email": "ada@example.com", "source": "website"}
    cookie = re.search(r"_vt_user=(\d+)_(\d+)_false_false", output)
    assert cookie
    assert (confirmation["userId"], confirmation["sessionId"]) == cookie.groups()
    assert confirmation["items"] == [{"id": "DARJEELING-50", "quantity": 1}, {"id": "JASMINE-50", "quantity": 2}]
    assert confirmation["generic"] == {"orderId": "100001", "total": 39.5, "email": "ada@example.com"}
    assert list(tmp_path.iterdir()) == []

    # The second order came while the vendor was down.
    log = [line.split()[1:6] for line in output.splitlines() if re.match(r" +\d  ", line)]
    assert log == [
        ["login", "-", "email", "sent", "200"],
        ["confirmation", "100001", "pixel", "sent", "200"],
        ["confirmation", "100002", "pixel", "pending", "-"],
        ["confirmation", "100002", "pixel", "sent", "200"],
    ]
    assert "Vibetrace could not be reached" in output

    # Two orders were imported without a signal.
    assert "2 orders without an entry, 2 of them reported now." in output


@pytest.mark.parametrize(("told", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_demo_that_is_stopped_leaves_no_file_and_no_process(
    start: Start, tmp_path: Path, told: signal.Signals, status: int
) -> None:
    process = start("-m", "example_project.demo")
    ports = [int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", read_until(process, "The vendor"))]
    process.send_signal(told)
    errors = process.communicate()[1]
    assert process.returncode == status
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []
    assert len(ports) == 2
    assert [port for port in ports if listens(port)] == []


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.django_db
def test_events_that_do_not_arrive_fail_the_demo_and_are_named() -> None:
    track(Login("ada@example.com", "website"))
    with FakeVendor() as vendor, pytest.raises(ShopFailed) as failure:
        demo.wait_for_arrival(vendor, SilentShop(), timeout=0)  # type: ignore[arg-type]
    said = str(failure.value)
    assert "still without: confirmation, login" in said
    assert re.search(r"^\d+ +login +- +email +pending", said, re.MULTILINE)
    assert "goodbye" in said


def test_an_order_that_does_not_come_after_the_outage_fails_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "ARRIVES_WITHIN", 0)
    with FakeVendor() as vendor, pytest.raises(ShopFailed, match=r"got nothing(?s:.*)goodbye"):
        demo.show_return(vendor, SilentShop())  # type: ignore[arg-type]


@pytest.mark.django_db
def test_imported_orders_that_do_not_arrive_fail_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "ARRIVES_WITHIN", 0)
    monkeypatch.setattr(demo, "call_command", lambda name, *arguments, stdout: stdout.write(f"{name}\n"))
    with FakeVendor() as vendor, pytest.raises(ShopFailed, match=r"have not arrived(?s:.*)find_unreported_orders"):
        demo.show_forgotten(vendor)


@pytest.mark.django_db
def test_a_log_that_stays_pending_fails_the_demo() -> None:
    track(Login("ada@example.com", "website"))
    with pytest.raises(ShopFailed, match="still says pending"):
        demo.wait_for_the_log(SilentShop(), timeout=-1)  # type: ignore[arg-type]


def test_a_demo_that_fails_says_why_and_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(directory: Path) -> None:
        raise ShopFailed("The shop didn't start.")

    monkeypatch.setattr(demo, "leave_tidily_when_told", lambda: None)
    monkeypatch.setattr(demo, "show", fail)
    assert demo.main() == 1
    assert capsys.readouterr().err == "The demo has failed. The shop didn't start.\n"
