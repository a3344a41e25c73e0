"""Run the chaos: `python -m tests.chaos --database postgresql --seconds 60 --kills 20`."""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import django
from django.core.management import call_command

from django_vt.testing import Answer, FakeVendor, Hang, Misbehaviour
from tests.chaos.books import DELIVERING, Books
from tests.chaos.duplicates import Request, Sender
from tests.chaos.processes import Herd, Role
from tests.servers.brokers import BROKERS, Broker
from tests.support import misbehaviour

SHARE = 0.3
OPENING_TIME = 60.0  # seconds at most until each kind of process has delivered something; then the reaper comes
SETTLING_TIME = 120.0  # seconds at most until everything that is left has been sent
BROKER_BESIDE = {"sqlite": "redis", "postgresql": "rabbitmq", "mariadb": "redis"}


def main() -> int:
    """One run on one database; the exit code is 1 if a promise was broken."""
    options = parse()
    signal.signal(signal.SIGTERM, end)
    with (
        tempfile.TemporaryDirectory(prefix="django-vt-chaos-") as directory,
        FakeVendor() as vendor,
        BROKERS[options.broker]() as broker,
        Path(options.log or f"{directory}/log").open("wb") as log,
    ):
        environment = prepare(options, vendor, broker, Path(directory))
        try:
            books = run(options, vendor, Herd(environment, log))
        finally:
            drop_database()
    title = f"Chaos on {options.database} and {options.broker}, {options.seconds:.0f} s, seed {options.seed}:"
    print(f"\n{title}", *books.lines(), sep="\n")
    faults = list(books.faults())
    print(*(f"BROKEN: {fault}" for fault in faults), sep="\n")
    print(f"{0 if faults else 1} passed, {1 if faults else 0} failed")
    return 1 if faults else 0


def end(*told: object) -> NoReturn:
    """Clean up, once: the processes are in groups of their own, which a signal to this one's does not reach."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit("told to end")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--database", choices=BROKER_BESIDE, default="sqlite")
    parser.add_argument(
        "--broker", choices=("redis", "rabbitmq"), help="for Celery; by default it goes by the database"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the shop is open")
    parser.add_argument("--kills", type=int, default=24, help="how many processes are killed meanwhile, about")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--log", help="where the processes' output goes; by default it is thrown away")
    options = parser.parse_args()
    options.broker = options.broker or BROKER_BESIDE[options.database]
    return options


def prepare(options: argparse.Namespace, vendor: FakeVendor, broker: Broker, directory: Path) -> dict[str, str]:
    """A fresh database with the tables, in this process and for the others."""
    name = f"django_vt_chaos_{os.getpid()}"
    servers = {
        "sqlite": f"sqlite:///{directory}/{name}.sqlite3",
        "postgresql": f"{os.environ.get('POSTGRESQL_SERVER', 'postgres://postgres@127.0.0.1:5432')}/{name}",
        "mariadb": f"{os.environ.get('MARIADB_SERVER', 'mysql://root@127.0.0.1:3306')}/{name}",
    }
    os.environ.update(
        broker.environment,
        DATABASE_URL=servers[options.database],
        DJANGO_SETTINGS_MODULE="tests.chaos.settings",
        VT_ENDPOINT=vendor.endpoint,
    )
    django.setup()
    create_database()
    call_command("migrate", run_syncdb=True, verbosity=0)
    return dict(os.environ)


def create_database() -> None:
    """On a server: a database of the run's own."""
    _on_server("CREATE DATABASE {}")


def drop_database() -> None:
    """And away with it."""
    _on_server("DROP DATABASE {}")


def _on_server(statement: str) -> None:
    from django.db import connection

    if connection.vendor == "sqlite":
        return
    connection.close()
    name = connection.settings_dict["NAME"]
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement.format(connection.ops.quote_name(name)))


def run(options: argparse.Namespace, vendor: FakeVendor, herd: Herd) -> Books:
    """Open the shop, let the vendor misbehave and the reaper reap; close; let it settle; compare."""
    chance = random.Random(options.seed)
    misbehaviour.misbehave_at_random(vendor, *misbehaviours(), share=SHARE, seed=options.seed)
    for role in roles():
        herd.start(role)
    try:
        vendor.wait_for(all_deliver, OPENING_TIME)
        herd.reap(options.seconds, options.seconds / options.kills, chance)
        herd.kill_all("thread", "celery_web")
        vendor.behave()
        resent = settle()
        unclean = herd.stop_all()
    finally:
        herd.kill_all()
    return compare(vendor, herd, resent, unclean)


def all_deliver(vendor: FakeVendor) -> bool:
    """Whether each kind of process has."""
    senders = {Sender.from_callback(request.callback or "").kind for request in vendor.requests if request.accepted}
    return senders >= DELIVERING.keys()


def misbehaviours() -> list[Misbehaviour]:
    """Every way to misbehave that the stand-in knows."""
    statuses = (302, 400, 401, 403, 404, 408, 413, 414, 425, 429, 500, 502, 503, 504)
    return [
        *(Answer(status) for status in statuses),
        Answer(503, retry_after=1),
        Answer(200, delay=0.5),
        misbehaviour.redirect("http://127.0.0.2/elsewhere"),
        Hang(),
        misbehaviour.ResetBeforeReading(),
        misbehaviour.ResetAfterReading(),
        misbehaviour.HangUp(),
        misbehaviour.HangUpAfterAnswer(),
        misbehaviour.EarlyHints(),
        misbehaviour.DripHead(interval=0.2),
        misbehaviour.DripBody(interval=0.2),
        misbehaviour.HugeBody(),
        misbehaviour.Garbage(),
        misbehaviour.MalformedHeaders(),
        misbehaviour.TruncatedBody(),
    ]


def roles() -> list[Role]:
    """Two of each: web processes with a delivery thread, those that wake Celery, and workers of both kinds."""
    return [role for number in range(2) for role in _one_of_each(number)]


def _one_of_each(number: int) -> Iterator[Role]:
    for kind, dispatcher in (("thread", "thread.ThreadDispatcher"), ("celery_web", "celery.CeleryDispatcher")):
        environment = {"CHAOS_DISPATCHER": f"django_vt.dispatchers.{dispatcher}"}
        shop = ("-m", "tests.chaos.web", f"{kind}{number}", "10")
        yield Role(kind, number, shop, environment=environment)
    send = ("-m", "django", "send_pending", "--forever", "--concurrency=2")
    yield Role("send_pending", number, send, concurrency=2)
    worker = ("-m", "celery", "--app=tests.projects.celery.app", "worker", "--pool=prefork", "--concurrency=2")
    quiet = ("--loglevel=INFO", "--without-gossip", "--without-mingle", "--without-heartbeat")
    yield Role("celery", number, worker + quiet, children=2)


def settle() -> int:
    """Until nothing is pending; what was rejected when it stood alone is resent, as staff would. Returns how many."""
    from django_vt.delivery.clock import database_now
    from django_vt.models import SendLogEntry

    resent, end = 0, time.monotonic() + SETTLING_TIME
    while time.monotonic() < end:
        resent += SendLogEntry.objects.filter(status="failed").resend("chaos", database_now("default"))
        if not SendLogEntry.objects.filter(status="pending").exists():
            break
        threading.Event().wait(0.2)
    return resent


def compare(vendor: FakeVendor, herd: Herd, resent: int, unclean: list[str]) -> Books:
    """Read the three books."""
    from django_vt.models import SendLogEntry
    from tests.projects.shop.models import Order

    entries = list(SendLogEntry.objects.values_list("reference", "status"))
    return Books(
        committed=frozenset(Order.objects.values_list("number", flat=True)),
        recorded=Counter(reference for reference, _status in entries),
        sent=frozenset(reference for reference, status in entries if status == "sent"),
        unsettled=Counter(status for _reference, status in entries if status != "sent"),
        unanswered=unanswered(),
        requests=[
            Request(Sender.from_callback(request.callback or ""), request.at, request.order_ids, request.accepted)
            for request in vendor.requests
        ],
        kills=herd.kills,
        resent_by_hand=resent,
        violations=len(vendor.violations),
        unclean_ends=tuple(unclean),
    )


def unanswered() -> dict[str, list[datetime]]:
    """When a worker has noted of an order that no answer came."""
    from django_vt.models import SendAttempt

    noted: dict[str, list[datetime]] = defaultdict(list)
    for order, at in SendAttempt.objects.filter(response_status=None).values_list("entry__reference", "at"):
        noted[order].append(at)
    return noted


if __name__ == "__main__":
    sys.exit(main())
