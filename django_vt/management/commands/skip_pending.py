"""`manage.py skip_pending`: skip pending entries of an account that the settings do not name."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from django_vt.accounts import is_known
from django_vt.management import arguments, wording
from django_vt.management.arguments import WrongArgument
from django_vt.management.base import SendLogCommand
from django_vt.operations import strangers


class Command(SendLogCommand):
    """Skips entries. It deletes nothing, and leaves the accounts that the settings name."""

    help = (
        "Skips what is pending for an account that the settings do not name, such as production's in a copy of its "
        "database: it waits no more, and is deleted by `purge_send_log` once it is old. `resend` takes that back. "
        "Entries of an account that the settings name are never skipped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--account", metavar="ID", help="The account, which must be named.")
        parser.add_argument("--dry-run", action="store_true", help="Skip nothing; say how much it would be.")

    def work(self, using: str, options: dict[str, Any]) -> None:
        account_id = arguments.recorded_account(options["account"], using)
        if not account_id:
            raise WrongArgument("--account", f"is needed; {arguments.known_in_words()}")
        if is_known(account_id):
            raise WrongArgument("--account", f"is one that is sent to; {arguments.known_in_words()}")
        ids = strangers.waiting_for(using, account_id)
        if options["dry_run"]:
            self.say(f"Would skip {wording.entries(len(strangers.of_strangers(ids, using)))} of account {account_id}.")
        else:
            self.say(f"Skipped {wording.entries(len(strangers.skip(ids, using)))} of account {account_id}.")
