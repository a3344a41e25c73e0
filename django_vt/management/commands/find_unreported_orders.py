"""`manage.py find_unreported_orders`: list the shop's orders without an entry in the send log."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from django_vt.conf import settings
from django_vt.management import arguments, wording
from django_vt.management.base import SendLogCommand
from django_vt.operations.unreported import Look, OrdersUnknown, Unreported


class Command(SendLogCommand):
    """Reads the shop's orders; writes only with `--report`."""

    help = (
        "Lists the shop's orders that have no entry in the send log: an import or a new checkout may have forgotten to "
        'signal them. DJANGO_VT["ORDERS"] names the shop\'s orders. An entry that was skipped as invalid is none. With '
        "--report they are recorded, as if they had been signalled, and sent. Exits with 1 while orders are "
        "unreported, for cron."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--days", metavar="N", default=7, help="The orders of the last N days; by default %(default)s."
        )
        arguments.add_account(parser, "The orders of this account, and those that name none.")
        parser.add_argument("--report", action="store_true", help="Record them, so that they are sent.")

    def work(self, using: str, options: dict[str, Any]) -> None:
        until = timezone.now()
        length = arguments.number_of_days("--days", options["days"])
        report = options["report"]
        if report and not settings.ENABLED:
            raise CommandError(wording.SWITCHED_OFF)
        if length.days > settings.RETENTION_DAYS:
            self.say("Entries older than RETENTION_DAYS may have been purged: such orders seem to be unreported.")
        account_id = arguments.account(options["account"])
        look = Look(until - length, until, report=report, using=using, account_id=account_id)
        try:
            for order in look.run():
                self.say(_line(order))
        except OrdersUnknown as error:
            raise CommandError(str(error)) from None
        self._conclude(look, report=report)

    def _conclude(self, look: Look, *, report: bool) -> None:
        told = f"{wording.count(look.found, 'order')} without an entry"
        if report:
            told += f", {look.reported:,} of them reported now"
        if look.left:
            advice = "See above why not." if report else "--report records them."
            raise CommandError(f"{told}. {advice}")
        self.say(f"{told}.")


def _line(order: Unreported) -> str:
    name = order.order_id or "an order whose number cannot be shown"
    return f"{name}: cannot be reported ({order.problem})" if order.problem else name
