"""`manage.py send_pending`: send what is due, from cron beside any dispatcher, or as a worker with `--forever`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from django_vt.conf import settings
from django_vt.delivery import DeliveryReport
from django_vt.delivery.worker import Worker
from django_vt.management import arguments, wording
from django_vt.management.base import SendLogCommand
from django_vt.management.stop_signals import stopped_by_signals
from django_vt.operations.sending_state import SendingState

MOST_IN_FLIGHT = 100


class Command(SendLogCommand):
    """Delivers in this process."""

    help = (
        "Sends the events that are due to Vibetrace and prints what became of them. Run it from cron every minute, "
        "beside any dispatcher; several at once share the work. SIGTERM and Ctrl-C let it finish the requests in hand "
        "and give back the rest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--forever", action="store_true", help="Go on as a worker, until SIGTERM or Ctrl-C; then exit with 0."
        )
        parser.add_argument(
            "--concurrency",
            metavar="N",
            default=1,
            help=f"Requests in flight at once, 1 to {MOST_IN_FLIGHT}; by default %(default)s.",
        )

        arguments.add_account(parser, "Send the events of this account only.")

    def work(self, using: str, options: dict[str, Any]) -> None:
        concurrency = arguments.whole_number("--concurrency", options["concurrency"], largest=MOST_IN_FLIGHT)
        if not settings.ENABLED:
            self.say(wording.SWITCHED_OFF)
            return
        account_id = arguments.account(options["account"])
        worker = Worker(using, concurrency=concurrency, account_id=account_id)

        def stop() -> None:
            worker.stop()
            self.say("Stopping: the requests in hand are finished, the rest is given back.")

        with stopped_by_signals(stop):
            if options["forever"]:
                self._run_forever(worker, account_id)
            else:
                self._run_once(worker, account_id)
        if options["forever"]:
            self.say("Stopped.")

    def _run_once(self, worker: Worker, account_id: str | None) -> None:
        self.say(summary(worker.run_until_empty()))
        self._tell_obstacles(worker.using, account_id)

    def _run_forever(self, worker: Worker, account_id: str | None) -> None:
        whose = "" if account_id is None else f" of account {account_id}"
        self.say(f'Sending what is due{whose} on the database "{worker.using}" until SIGTERM or Ctrl-C.')
        self._tell_obstacles(worker.using, account_id)
        worker.run_forever()

    def _tell_obstacles(self, using: str, account_id: str | None) -> None:
        for sentence in wording.obstacles(SendingState.seen_on(using, account_id)):
            self.say(sentence)


def summary(report: DeliveryReport) -> str:
    """A line that sums up a delivery."""
    return (
        f"{report.sent:,} sent, {report.retried:,} to be tried again, {report.failed:,} failed, "
        f"{report.skipped:,} skipped, in {wording.count(report.requests, 'request')}."
    )
