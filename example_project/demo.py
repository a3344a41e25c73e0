"""`make demo`: a visitor signs in and buys, also while the vendor is down; what the vendor gets, what the log says."""

import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from django.core.management import CommandError, call_command
from requests import Response

from django_vt.testing import FakeVendor
from example_project.browser import Browser
from example_project.preparation import SHOPPER, environment, prepare
from example_project.report import request_text, send_log_text, step
from example_project.shop_server import ShopFailed, ShopServer
from example_project.stopping import leave_tidily_when_told

if TYPE_CHECKING:
    from django_vt.models import SendLogEntry

ARRIVES_WITHIN = 20.0  # seconds
LOOKS_EVERY = 0.05  # seconds
PHONE_ORDERS = Path(__file__).parent / "phone-orders.jsonl"
EVENTS = {"login", "confirmation"}
ADDRESS = {"name": "Ada Lovelace", "email": SHOPPER["email"], "address": "12 St James's Square"}


def main() -> int:
    leave_tidily_when_told()
    try:
        with TemporaryDirectory(prefix="django-vt-demo-") as directory:
            show(Path(directory))
    except ShopFailed as failure:
        print(f"The demo has failed. {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return 0


def show(directory: Path) -> None:
    """The whole story. When it ends, however it ends, shop, vendor and files are gone."""
    with FakeVendor() as vendor:
        shop_environment = environment(directory, vendor.endpoint, debug=False)
        prepare(shop_environment)
        with ShopServer(shop_environment, directory / "shop.log") as shop, Browser(shop.url) as browser:
            print(f"The shop: {shop.url}/  The vendor: {vendor.endpoint}", flush=True)
            show_visit(browser)
            show_arrival(vendor, shop)
            vendor.refuse()
            show_outage(browser, shop)
            vendor.accept()
            show_return(vendor, shop)
            show_forgotten(vendor)
    print("No checkout waited, no order is lost. Next: `make run`, to click through it.")


def show_visit(browser: Browser) -> None:
    browser.submit("/visitor/", "/visitor/pixel/set/")
    browser.submit("/sign-in/", username=SHOPPER["email"], password=SHOPPER["password"])
    browser.submit("/", "/basket/first-flush-darjeeling/add/")
    browser.submit("/", "/basket/jasmine-pearls/add/")
    browser.submit("/basket/", "/basket/jasmine-pearls/quantity/", quantity=2)
    order = browser.submit("/checkout/", **ADDRESS, payment="card")
    payment = browser.submit(order.headers["Location"])
    browser.get(payment.headers["Location"])
    step(
        1,
        f"A visitor, _vt_user={browser.cookie('_vt_user')}",
        f"signs in, orders and pays. {took(order)}.",
    )


def show_arrival(vendor: FakeVendor, shop: ShopServer) -> None:
    wait_for_arrival(vendor, shop)
    step(2, "What the vendor got, from a thread of the shop", "\n".join(map(request_text, vendor.requests)))


def show_outage(browser: Browser, shop: ShopServer) -> None:
    browser.submit("/", "/basket/jasmine-pearls/add/")
    order = browser.submit("/checkout/", **ADDRESS, payment="invoice")
    entries = wait_for_the_log(shop, lambda entry: bool(entry.reason or entry.response_status))
    step(
        3,
        "The vendor goes down, and the visitor orders again",
        f"{took(order)}. The send log, as the admin shows it:",
        send_log_text(entries),
    )


def show_return(vendor: FakeVendor, shop: ShopServer) -> None:
    try:
        vendor.wait_for(len(EVENTS) + 1, ARRIVES_WITHIN)
    except TimeoutError:
        raise ShopFailed(f"The vendor is back and got nothing.\n{shop.last_lines()}") from None
    entries = wait_for_the_log(shop)
    the_last = send_log_text(entries[-1:]).partition("\n")[2]
    step(4, "The vendor is back, and gets what has waited for it", the_last)


def show_forgotten(vendor: FakeVendor) -> None:
    """An import that does not signal its orders. Its process, and the one that finds them, are this one."""
    command("import_phone_orders", PHONE_ORDERS)
    before = len(vendor.events)
    reported = command("find_unreported_orders", "--report")
    try:
        vendor.wait_for(lambda vendor: len(vendor.events) > before + 1, ARRIVES_WITHIN)
    except TimeoutError:
        raise ShopFailed(f"The imported orders have not arrived.\n{reported}") from None
    step(5, "An import forgets to signal two orders: `find_unreported_orders --report`", reported.splitlines()[-1])


def command(name: str, *arguments: object) -> str:
    """What a command prints, and what it ends with where that is an error."""
    printed = StringIO()
    try:
        call_command(name, *map(str, arguments), stdout=printed)
    except CommandError as error:
        print(f"CommandError: {error}", file=printed)
    return printed.getvalue().rstrip()


def took(reply: Response) -> str:
    return (
        f"{reply.request.method} {reply.request.path_url} took the shop {reply.elapsed.total_seconds() * 1000:.0f} ms"
    )


def wait_for_arrival(vendor: FakeVendor, shop: ShopServer, timeout: float = ARRIVES_WITHIN) -> None:
    """Until the vendor has got both events; `ShopFailed` tells what there is instead."""
    try:
        vendor.wait_for(lambda vendor: {event["type"] for event in vendor.events} == EVENTS, timeout)
    except TimeoutError:
        missing = EVENTS - {event["type"] for event in vendor.events}
        raise ShopFailed(
            f"After {timeout:.0f} s the vendor is still without: {', '.join(sorted(missing))}.\n"
            f"The send log:\n{send_log_text(send_log())}\n{shop.last_lines()}"
        ) from None


def is_sent(entry: "SendLogEntry") -> bool:
    return entry.status != "pending"


def wait_for_the_log(
    shop: ShopServer, is_told: Callable[["SendLogEntry"], bool] = is_sent, timeout: float = ARRIVES_WITHIN
) -> list["SendLogEntry"]:
    """The entries, once the shop has written down what became of each."""
    end = time.monotonic() + timeout
    entries = send_log()
    while not all(map(is_told, entries)):
        if time.monotonic() > end:
            raise ShopFailed(
                f"After {timeout:.0f} s the log still says pending.\n{send_log_text(entries)}\n{shop.last_lines()}"
            )
        time.sleep(LOOKS_EVERY)
        entries = send_log()
    return entries


def send_log() -> list["SendLogEntry"]:
    from django_vt.models import SendLogEntry

    return list(SendLogEntry.objects.order_by("id"))


if __name__ == "__main__":
    sys.exit(main())
