"""`manage.py resend`: entries of the send log once more, delivered by this process."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from django_vt.conf import settings
from django_vt.management.base import SendLogCommand
from django_vt.models import Status
from django_vt.operations import sending_state, wording
from django_vt.operations.resending import Resending, select


class Command(SendLogCommand):
    """Reopens the chosen entries and delivers just these."""

    help = (
        "Sends entries of the send log again, by default all that failed, and waits for the answers. It disregards a "
        "pause, but not a hold. Entries that a worker has in its hands, and those that hold nothing to send or nobody "
        "to attribute it to, are left as they are. Exits with 1 unless all that were chosen are sent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("ids", metavar="ID", nargs="*", help="Just these entries, whatever their status.")
        statuses = ", ".join(Status.values)
        parser.add_argument("--status", help=f"Entries of this status: {statuses}. By default failed.")
        parser.add_argument("--type", help="Entries of this event type, such as confirmation.")
        parser.add_argument("--since", metavar="WHEN", help="Recorded then or later: an ISO date or time.")
        parser.add_argument("--until", metavar="WHEN", help="Recorded before then; a date means its end.")
        parser.add_argument("--include-sent", action="store_true", help="Entries that were sent, too.")
        parser.add_argument("--dry-run", action="store_true", help="Change and send nothing; say how many it would be.")

    def work(self, using: str, options: dict[str, Any]) -> None:
        selection = select(using, options)
        resending = Resending(selection, using)
        if options["dry_run"]:
            resending.preview()
            self.say(f"Would resend {wording.entries(resending.reopened)}.{_left(resending)}")
        elif not settings.ENABLED:
            raise CommandError(sending_state.SWITCHED_OFF)
        else:
            self._resend(resending, len(selection))
            self._conclude(resending, using)

    def _resend(self, resending: Resending, total: int) -> None:
        shows_progress = self.stdout.isatty() and not self.quiet
        for done in resending.run():
            if shows_progress:
                self.stdout.write(f"\r{done:,} of {wording.entries(total)}", ending="\n" if done == total else "")
                self.stdout.flush()

    def _conclude(self, resending: Resending, using: str) -> None:
        self.say(f"Resent {wording.entries(resending.reopened)}. {_standing(resending)}{_left(resending)}")
        if not resending.all_sent:
            raise CommandError(" ".join(["Not all are sent.", *sending_state.obstacles(using)]))


def _standing(resending: Resending) -> str:
    statuses = ", ".join(f"{number:,} {status}" for status, number in sorted(resending.statuses.items()))
    return f"Of those chosen are now: {statuses}." if statuses else "None were chosen."


def _left(resending: Resending) -> str:
    """The rest, left as they were, and why."""
    if not resending.left:
        return ""
    changed = resending.left - resending.in_hands - resending.unsendable
    counts = {
        "in the hands of a worker": resending.in_hands,
        "with nothing to send or nobody to attribute it to": resending.unsendable,
        "changed meanwhile": changed,
    }
    why = ", ".join(f"{number:,} {words}" for words, number in counts.items() if number > 0)
    return f" Left as they were: {why}."
