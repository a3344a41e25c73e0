"""`make run`: the shop and a stand-in for the vendor, until Ctrl-C."""

import argparse
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django_vt.testing import FakeVendor, VendorRequest
from example_project.preparation import SHOPPER, STAFF, environment, prepare
from example_project.report import request_text
from example_project.shop_server import ShopFailed, ShopServer
from example_project.stopping import leave_tidily_when_told


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    leave_tidily_when_told()
    try:
        serve(options.directory.resolve(), options.port)
    except ShopFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m example_project.run", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="the shop's, or the next free one")
    parser.add_argument(
        "--directory", type=Path, default=Path(__file__).parent / "var", help="where database and log are kept"
    )
    return parser.parse_args(arguments)


def serve(directory: Path, wanted_port: int) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port(wanted_port)
    log = directory / "shop.log"
    with FakeVendor(port=free_port(port + 1), on_request=print_request) as vendor:
        shop_environment = environment(directory, vendor.endpoint, debug=True)
        prepare(shop_environment)
        with ShopServer(shop_environment, log, port) as shop:
            print_welcome(shop, vendor, log)
            shop.wait()


def free_port(wanted: int) -> int:
    """This port of the machine, or the first free one after it."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as candidate:
            # As servers do: a port whose last connections have only just ended is free.
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                candidate.bind(("127.0.0.1", port))
                return port
    raise ShopFailed(f"No port from {wanted} to {wanted + 99} is free.")


def print_welcome(shop: ShopServer, vendor: FakeVendor, log: Path) -> None:
    print(
        f"""
The shop        {shop.url}/
  a shopper     {SHOPPER["email"]}, password {SHOPPER["password"]}
The admin       {shop.url}/admin/
  its login     {STAFF["username"]}, password {STAFF["password"]}
The vendor      {vendor.endpoint}, a stand-in on this machine
The shop's log  {log}

1. In the shop, open "Visitor" and press "Set the cookie": that plays the vendor's pixel.
2. Under "Teas" press "Buy now", then "Place the order". The event shows up below.
3. In the admin, open "Send log": what was sent, how it was answered, when.

Ctrl-C stops both. Below: the events, as the vendor gets them.
""",
        flush=True,
    )


def print_request(request: VendorRequest) -> None:
    print(f"{datetime.now():%H:%M:%S} {request_text(request)}\n", flush=True)  # noqa: DTZ005 - the developer's own clock


if __name__ == "__main__":
    sys.exit(main())
