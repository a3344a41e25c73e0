"""A web process: serves requests of shoppers through the whole of Django, until it is killed.

Each order's number says in which process it was placed and whether it was rolled back: `kept-…` or `undone-…`.
"""

from __future__ import annotations

import os
import random
import sys
import threading

import django


def main() -> None:
    """Shop, a few times a second, as long as the process lives."""
    django.setup()
    # As a project's __init__.py does, for the dispatcher to find the broker.
    from django.test import Client

    import tests.projects.celery.app  # noqa: F401

    name, rate = sys.argv[1], float(sys.argv[2])
    chance = random.Random(os.getpid())
    order = 0
    while True:
        order += 1
        shopper = Client(SERVER_NAME="localhost")
        shopper.cookies["_vt_user"] = f"{chance.getrandbits(60)}_{chance.getrandbits(60)}_false_false"
        kept = chance.random() > 0.1
        number = f"{'kept' if kept else 'undone'}-{name}-{os.getpid()}-{order}"
        details = {"number": number, "email": f"{number}@example.com"}
        response = shopper.post("/buy/" if kept else "/buy-and-fail/", details)
        if response.status_code not in {200, 409}:
            sys.exit(f"the shop answered {response.status_code}")
        threading.Event().wait(chance.expovariate(rate))


if __name__ == "__main__":
    main()
