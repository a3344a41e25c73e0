"""`manage.py release_sending`: end what `hold_sending` began."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from django_vt.delivery.clock import database_now
from django_vt.management import arguments, wording
from django_vt.management.base import SendLogCommand
from django_vt.models import SendLogEntry
from django_vt.operations import sending_state
from django_vt.operations.sending_state import SendingState

WHAT_SENDS = (
    "`manage.py send_pending` sends what is due at once; else a running worker does within a minute, or the dispatcher "
    "when the next event is recorded."
)


class Command(SendLogCommand):
    """Removes the hold; starts no delivery."""

    help = "Releases what `hold_sending` holds. It sends nothing by itself, and says what will."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        arguments.add_account(parser, "Release the events of this account only.")

    def work(self, using: str, options: dict[str, Any]) -> None:
        account_id = arguments.account_or_all(options["account"], using)
        self.say("Sending is released." if sending_state.release(using, account_id) else "Sending was not held.")
        due = SendLogEntry.objects.using(using).due(database_now(using)).count()
        obstacles = list(wording.obstacles(SendingState.seen_on(using)))
        for sentence in (f"{wording.entries(due)} due.", *obstacles):
            self.say(sentence)
        if due and not obstacles:
            self.say(WHAT_SENDS)
