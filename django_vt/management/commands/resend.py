"""`manage.py resend`: send entries of the send log again, from this process."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from django_vt.conf import settings
from django_vt.management import arguments, wording
from django_vt.management.arguments import WrongArgument
from django_vt.management.base import SendLogCommand
from django_vt.models import Status
from django_vt.operations import figures
from django_vt.operations.resending import Resending, Selection, UnknownEntries
from django_vt.operations.sending_state import SendingState

FILTERS = ("status", "type", "account", "since", "until")


class Command(SendLogCommand):
    """Reopens the chosen entries and delivers only these."""

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
        arguments.add_account(parser, "Entries of this account only.")
        parser.add_argument(
            "--to", metavar="ID", help="The account for what was recorded for none; needed where there are several."
        )
        parser.add_argument("--since", metavar="WHEN", help="Recorded then or later: an ISO date or time.")
        parser.add_argument("--until", metavar="WHEN", help="Recorded before then; a date means its end.")
        parser.add_argument("--include-sent", action="store_true", help="Entries that were sent, too.")
        parser.add_argument("--dry-run", action="store_true", help="Change and send nothing; say how many it would be.")

    def work(self, using: str, options: dict[str, Any]) -> None:
        selection = _by_id(using, options) if options["ids"] else _by_status(using, options)
        resending = Resending(selection, using, arguments.account(options["to"], "--to") or "")
        if options["dry_run"]:
            resending.preview()
            self.say(f"Would resend {wording.entries(resending.reopened)}.{_left(resending)}")
        elif not settings.ENABLED:
            raise CommandError(wording.SWITCHED_OFF)
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
            obstacles = wording.obstacles(SendingState.seen_on(using))
            strangers = wording.strangers(figures.strangers(using))
            raise CommandError(" ".join(["Not all are sent.", *obstacles, *strangers]))


def _by_id(using: str, options: dict[str, Any]) -> Selection:
    if any(options[name] is not None for name in FILTERS):
        raise WrongArgument("ID", "name entries, or choose them by " + ", ".join(f"--{name}" for name in FILTERS))
    try:
        return Selection.by_ids(using, [arguments.whole_number("ID", given) for given in options["ids"]])
    except UnknownEntries as error:
        raise WrongArgument("ID", str(error)) from None


def _by_status(using: str, options: dict[str, Any]) -> Selection:
    since, until = options["since"], options["until"]
    return Selection.by_status(
        using,
        _statuses(options),
        event_type=options["type"],
        account_id=arguments.recorded_account(options["account"], using),
        since=None if since is None else arguments.beginning("--since", since),
        until=None if until is None else arguments.end("--until", until),
    )


def _statuses(options: dict[str, Any]) -> list[str]:
    status = options["status"] or Status.FAILED.value
    if status not in Status.values:
        raise WrongArgument("--status", f"must be one of {', '.join(Status.values)}")
    if status == Status.SENT and not options["include_sent"]:
        raise WrongArgument("--status", "what was sent is sent again with --include-sent, or by its id")
    return [status, Status.SENT.value] if options["include_sent"] else [status]


def _standing(resending: Resending) -> str:
    statuses = ", ".join(f"{number:,} {status}" for status, number in sorted(resending.statuses.items()))
    return f"Of those chosen are now: {statuses}." if statuses else "None were chosen."


def _left(resending: Resending) -> str:
    """How many entries were left as they were, and why."""
    if not resending.left:
        return ""
    survey = resending.survey
    unsendable = survey.emptied + survey.nobody
    counts = {
        "in the hands of a worker": survey.in_hand,
        "with nothing to send or nobody to attribute it to": unsendable,
        "recorded for no account: --to says which": survey.no_account,
        "changed meanwhile": resending.left - survey.in_hand - unsendable - survey.no_account,
    }
    why = ", ".join(f"{number:,} {words}" for words, number in counts.items() if number > 0)
    return f" Left as they were: {why}."
