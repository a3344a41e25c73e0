"""`manage.py hold_sending`: record but do not send, in all processes, while an incident lasts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from django_vt.management import arguments
from django_vt.management.base import SendLogCommand
from django_vt.operations import sending_state


class Command(SendLogCommand):
    """Sets the hold that all processes read."""

    help = (
        "Holds sending, in all processes and on all machines: events go on being recorded and wait until "
        "`release_sending`. A request that is under way is finished."
    )
    requires_system_checks = ()  # in an incident it must work, whatever else is wrong

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        arguments.add_account(parser, "Hold the events of this account only.")

    def work(self, using: str, options: dict[str, Any]) -> None:
        account_id = arguments.account_or_all(options["account"], using)
        if sending_state.hold(using, account_id):
            whose = f" for account {account_id}" if account_id else ""
            ends = f"release_sending --account {account_id}" if account_id else "release_sending"
            self.say(
                f"Sending{whose} is held from the next claim on: events are recorded and wait. "
                f"`manage.py {ends}` ends that."
            )
        else:
            self.say("Sending was held already: events are recorded and wait.")
