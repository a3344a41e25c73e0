"""`manage.py forget_shopper`: forget a shopper."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from django_vt.delivery.clock import database_now
from django_vt.management import shopper_arguments, wording
from django_vt.management.base import SendLogCommand
from django_vt.models import Status
from django_vt.models.functions import moment
from django_vt.operations.forgetting import Forgetting
from django_vt.operations.shopper import Shopper

_sleep = threading.Event().wait

SEARCHED_FOR_ADDRESS = (
    "Searched for the address, in its usual spellings: the identities, references, e-mail hashes and all texts in the "
    "events of the send log, and the remembered identities. What is written in yet another way is not found."
)
SEARCHED_FOR_ID = (
    "Searched for the id: the identities of the entries, and the remembered identities. Where the shop has written it "
    "into an event's own data, it is not found."
)


class Command(SendLogCommand):
    """Works in many short transactions, and may be stopped and run again. Never prints personal data."""

    help = (
        "Forgets a shopper: empties payload, identity and e-mail hash of their entries in every status, and deletes "
        "their remembered identities. What was pending is skipped and never sent. Status, type, reference and times "
        "stay, but for a reference that names them. The address is looked for in all texts of all events, in its usual "
        "spellings: on a log of a million entries that takes a minute. With an address, entries without one by the "
        "same visitors are theirs, too; those that are named for another address are left. Waits where a worker has "
        "an entry in its hands, LEASE seconds at most. Exits with 0, also where there is nothing to forget."
    )
    requires_system_checks = ()  # a shopper's right must not wait until the settings are corrected

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        shopper_arguments.add_to(parser)
        parser.add_argument("--dry-run", action="store_true", help="Change nothing; say how much it would be.")

    def work(self, using: str, options: dict[str, Any]) -> None:
        forgetting = Forgetting(_shopper(using, options), using)
        if options["dry_run"]:
            forgetting.preview()
        else:
            forgetting.run()
        for sentence in _report(forgetting, options):
            self.say(sentence)
        if forgetting.lease_end is not None and not options["dry_run"]:
            self._wait_for_workers(forgetting.lease_end, using)

    def _wait_for_workers(self, until: int, using: str) -> None:
        """Wait until no worker can send an entry that it holds: it begins no request after its lease."""
        self.say(
            "A worker had some of them in its hands and may still send them, until its lease ends: waiting for that, "
            f"until {wording.moment(moment(until))}."
        )
        while (seconds := (until - database_now(using)) / 1000) > 0:
            _sleep(seconds)
        self.say("From now on nothing of it is sent.")


def _shopper(using: str, options: dict[str, Any]) -> Shopper:
    with shopper_arguments.as_arguments():
        return Shopper.known_by(using, texts=True, **shopper_arguments.read(options))


def _report(forgetting: Forgetting, options: dict[str, Any]) -> Iterator[str]:
    total = forgetting.statuses.total()
    if not total and not forgetting.remembered:
        yield f"Found nothing to forget. {SEARCHED_FOR_ID if options['email'] is None else SEARCHED_FOR_ADDRESS}"
    else:
        statuses = ", ".join(f"{forgetting.statuses[status]:,} {status}" for status in Status.values)
        remembered = wording.count(forgetting.remembered, "remembered identity", "remembered identities")
        did = "Would forget" if options["dry_run"] else "Forgot"
        yield f"{did} {wording.entries(total)} ({statuses}) and {remembered}."
    if forgetting.others:
        yield (
            f"Left are {wording.entries(forgetting.others)} of the same visitors that hold another address: "
            "forget that address, too, if it is the same person's."
        )
    if options["email"] is None and forgetting.with_address:
        yield (
            f"Of these, {forgetting.with_address:,} held an e-mail address: forget that, too, for what is known by "
            "the address alone."
        )
