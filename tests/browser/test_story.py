"""The whole story of an order, by keyboard alone, in the example shop, its admin, and the stand-in for the vendor."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from django_vt.testing import Answer, FakeVendor
from example_project.preparation import STAFF, environment
from example_project.shop_server import ShopServer
from tests.browser.keyboard import Keyboard
from tests.browser.leaving import PATIENCE

pytestmark = [pytest.mark.process, pytest.mark.browser, pytest.mark.newest]

ROOT = Path(__file__).parents[2]
LONGEST_PAUSE = 60  # seconds; of a vendor that was down for less
PREPARE = "from example_project.preparation import prepare; prepare({})"


@pytest.fixture
def vendor() -> Iterator[FakeVendor]:
    with FakeVendor() as vendor:
        yield vendor


@pytest.fixture
def shop(vendor: FakeVendor, tmp_path: Path) -> Iterator[str]:
    """The example shop as `make run` starts it: a process of its own, whose thread delivers."""
    its_own = {**environment(tmp_path, vendor.endpoint, debug=False), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", PREPARE], env={**os.environ, **its_own}, check=True, timeout=120)
    with ShopServer(its_own, tmp_path / "shop.log") as server:
        yield server.url


def buy(shopper: Keyboard, shop: str, tea: str) -> str:
    """Orders a tea as a guest; gives the number of the order."""
    shopper.browser.get(f"{shop}/")
    shopper.enter(f"Buy now : {tea}")
    shopper.type("Your name:", "Ada Lovelace")
    shopper.type("E-mail:", "ada@example.com")
    shopper.type("Delivery address:", "12 St James's Square")
    shopper.enter(shopper.browser.find_element("css selector", "main form button").text)
    assert shopper.reads("Thank you, Ada Lovelace")
    return shopper.browser.find_element("css selector", ".lead strong").text


def open_newest(staff: Keyboard) -> None:
    """Opens the first entry of the list, by the link that is its time."""
    staff.enter(staff.browser.find_element("css selector", "#result_list tbody .field-when a").text.replace("\n", " "))


def unfold_figures(staff: Keyboard) -> None:
    staff.go_to("Figures, and holding")
    staff.press(Keys.ENTER)


def see_status(staff: Keyboard, words: str) -> None:
    """Reloads the page until it says so; a thread of the shop is at work."""

    def says_so(_browser: object) -> bool:
        staff.browser.refresh()
        return staff.reads(words)

    WebDriverWait(staff.browser, LONGEST_PAUSE).until(says_so)


def test_an_order_seen_in_the_admin_broken_understood_mended_and_sent_again_by_keyboard_alone(browser, shop, vendor):
    person = Keyboard(browser)
    first = buy(person, shop, "Earl Grey")
    vendor.wait_for(lambda vendor: vendor.accepted_orders[first] == 1, timeout=PATIENCE)

    browser.get(f"{shop}/admin/")
    person.press(STAFF["username"])  # The field has the focus from the start.
    person.type("Password:", STAFF["password"])
    person.enter("Log in")
    person.enter("Send log")
    see_status(person, "Vibetrace last accepted events")
    person.type("Look up", first)
    person.press(Keys.ENTER)
    WebDriverWait(browser, PATIENCE).until(lambda browser: "/change/" in browser.current_url)
    assert person.reads(first)
    assert person.reads("sent")

    # It asks for rest: one order that fails by itself pauses nothing.
    vendor.misbehave(Answer(503, retry_after=5))
    second = buy(person, shop, "Jasmine Pearls")
    vendor.wait_for(lambda vendor: vendor.orders[second] > 0, timeout=PATIENCE)
    browser.get(f"{shop}/admin/django_vt/sendlogentry/")
    see_status(person, "sending is paused")
    assert person.reads("answer 503")
    unfold_figures(person)
    person.enter("Hold sending")  # Else it would be sent by itself once the vendor is back.
    person.enter("Yes, hold sending")

    vendor.behave()
    open_newest(person)
    assert person.reads(second)
    assert person.reads("It was tried and did not get through. Vibetrace could not take it at the time (answer 503).")
    person.enter("Send again")
    assert person.reads(f"order {second}")
    person.enter("Yes, send again")
    assert person.reads("1 entry is queued to be sent again.")
    assert person.reads("Waits: sending is held by staff.")
    assert vendor.accepted_orders == {first: 1}

    person.enter("Send log")
    unfold_figures(person)
    person.enter("Release sending")
    person.enter("Yes, release sending")
    see_status(person, "Sending is open")
    open_newest(person)
    see_status(person, "Nothing: it has arrived.")
    assert vendor.accepted_orders == {first: 1, second: 1}
    person.enter("History")
    assert person.reads("Queued to be sent again.")
