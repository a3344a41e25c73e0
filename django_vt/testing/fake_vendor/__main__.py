"""`python -m django_vt.testing.fake_vendor --port 8765` runs the stand-in alone, for work without a network.

It prints each event on one line::

    12:30:05 accepted acc123 login {"type":"login","email":"shopper@example.com","source":"website"}

The output holds addresses: use it only on a developer's own console.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
from typing import Any

from . import FakeVendor, VendorRequest


def main() -> None:
    """Run until SIGINT (Ctrl-C) or SIGTERM."""
    options = _parser().parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with FakeVendor(port=options.port, on_request=print_events) as vendor:
        _print(f'listening, set DJANGO_VT["ENDPOINT"] to {vendor.endpoint}')
        stopped.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m django_vt.testing.fake_vendor",
        description="A stand-in for the vendor's event endpoint on 127.0.0.1; prints each event that it gets.",
    )
    parser.add_argument("--port", type=int, default=None, help="the system chooses one unless told")
    return parser


def print_events(request: VendorRequest) -> None:
    """Print a line for each event and for each violation in the request."""
    for event in request.events:
        _print_about(request, _compact(event))
    for violation in request.violations:
        _print_about(request, f"not as documented: {violation}")


def _print_about(request: VendorRequest, text: str) -> None:
    state = "accepted" if request.accepted else "refused"
    _print(f"{request.at.astimezone():%H:%M:%S} {state} {request.account_id} {request.event_type} {text}")


def _print(line: str) -> None:
    print(line, flush=True)


def _compact(event: dict[str, Any]) -> str:
    return json.dumps(event, separators=(",", ":"))


if __name__ == "__main__":
    main()
