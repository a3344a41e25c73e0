"""Which entries `resend` is to send again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_vt.conf import settings
from django_vt.delivery import deliver_due
from django_vt.delivery.clock import database_now
from django_vt.management import arguments
from django_vt.management.arguments import WrongArgument
from django_vt.models import SendLogEntry, Status
from django_vt.models.send_log import SendLogQuerySet

FILTERS = ("status", "type", "since", "until")
AT_ONCE = 200  # entries a query


@dataclass(frozen=True)
class Selection:
    """What the arguments choose: a condition, and the ids of what has met it at first."""

    entries: SendLogQuerySet
    ids: Sequence[int]

    def __len__(self) -> int:
        return len(self.ids)

    def parts(self) -> Iterator[Sequence[int]]:
        """The ids in handy parts."""
        return _parts(self.ids)


def select(using: str, options: Mapping[str, Any]) -> Selection:
    """By id, or by status (failed, if nothing is said), type and time."""
    entries = SendLogEntry.objects.using(using)
    if options["ids"]:
        return _by_id(entries.all(), options)
    found = _filtered(entries.filter(status__in=_statuses(options)), options)
    return Selection(found, list(found.order_by("pk").values_list("pk", flat=True)))


def _by_id(entries: SendLogQuerySet, options: Mapping[str, Any]) -> Selection:
    if any(options[name] is not None for name in FILTERS):
        raise WrongArgument("ID", "name entries, or choose them by " + ", ".join(f"--{name}" for name in FILTERS))
    ids = list(dict.fromkeys(arguments.whole_number("ID", given) for given in options["ids"]))
    known = {pk for part in _parts(ids) for pk in entries.filter(pk__in=part).values_list("pk", flat=True)}
    unknown = [pk for pk in ids if pk not in known]
    if unknown:
        raise WrongArgument("ID", f"the send log has no entry {', '.join(map(str, unknown))}")
    return Selection(entries, ids)


def _statuses(options: Mapping[str, Any]) -> set[str]:
    status = options["status"] or Status.FAILED.value
    if status not in Status.values:
        raise WrongArgument("--status", f"must be one of {', '.join(Status.values)}")
    if status == Status.SENT and not options["include_sent"]:
        raise WrongArgument("--status", "what was sent is sent again with --include-sent, or by its id")
    return {status, Status.SENT.value} if options["include_sent"] else {status}


def _filtered(entries: SendLogQuerySet, options: Mapping[str, Any]) -> SendLogQuerySet:
    if options["type"] is not None:
        entries = entries.filter(event_type=options["type"])
    if options["since"] is not None:
        entries = entries.filter(created_at__gte=arguments.beginning("--since", options["since"]))
    if options["until"] is not None:
        entries = entries.filter(created_at__lt=arguments.end("--until", options["until"]))
    return entries


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]


# Sending a selection of entries again, part by part, and counting what becomes of it.


class Resending:
    """Counts as it goes: reopened, in a worker's hands, unsendable, and in the end the statuses of all."""

    def __init__(self, selection: Selection, using: str) -> None:
        self._selection = selection
        self._using = using
        self._vendor_answers = True
        self.reopened = 0
        self.in_hands = 0
        self.unsendable = 0
        self.statuses: Counter[str] = Counter()

    @property
    def left(self) -> int:
        """How many of the chosen were left as they were."""
        return len(self._selection) - self.reopened

    @property
    def all_sent(self) -> bool:
        """Whether each of the chosen was reopened and has been sent."""
        return self.left == 0 and self.statuses[Status.SENT] == len(self._selection)

    def preview(self) -> None:
        """Count what would be reopened, and change nothing."""
        for ids in self._selection.parts():
            self._count_unfit(self._selection.entries.filter(pk__in=ids))
        self.reopened = len(self._selection) - self.in_hands - self.unsendable

    def run(self) -> Iterator[int]:
        """Send again; yields after each part how many of the chosen are done."""
        done = 0
        for ids in self._selection.parts():
            self._resend(ids)
            done += len(ids)
            yield done
        self._count_statuses()

    def _resend(self, ids: Sequence[int]) -> None:
        # The condition once more: what has been sent meanwhile is not sent again.
        part = self._selection.entries.filter(pk__in=ids)
        self._count_unfit(part)
        self.reopened += part.resend(settings.ACCOUNT_ID, database_now(self._using))
        if self._vendor_answers:
            report = deliver_due(ids=ids, using=self._using)
            # A part of which nothing got through: the rest would only wait for the same error, part after part.
            self._vendor_answers = report.sent > 0 or report.retried == 0

    def _count_unfit(self, part: SendLogQuerySet) -> None:
        self.in_hands += part.under_live_claim(database_now(self._using)).count()
        self.unsendable += part.count() - part.can_be_sent().count()

    def _count_statuses(self) -> None:
        entries = SendLogEntry.objects.using(self._using)
        for ids in self._selection.parts():
            self.statuses.update(entries.filter(pk__in=ids).values_list("status", flat=True))
