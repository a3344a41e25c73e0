"""Which entries `resend` is to send again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_vt.management import arguments
from django_vt.management.arguments import WrongArgument
from django_vt.models import SendLogEntry
from django_vt.models.send_log import SendLogQuerySet

Status = SendLogEntry.Status
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
