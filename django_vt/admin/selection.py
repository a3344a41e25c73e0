"""The entries that staff want to send again: which can be, which are left and why, and the queueing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from django_vt.admin import history
from django_vt.conf import settings
from django_vt.models import SendLogEntry, bounded
from django_vt.recording import record

IDS_PATTERN = re.compile(r"[0-9]{1,18}(,[0-9]{1,18})*", re.ASCII)
# What one `id IN (…)` may hold on every database.
CHUNK = 900
Status = SendLogEntry.Status


def parse_ids(text: str) -> list[int] | None:
    """The ids in a form's field, as `join_ids` wrote it; None for anything else, and for more than the limit."""
    if not IDS_PATTERN.fullmatch(text):
        return None
    ids = sorted({int(part) for part in text.split(",")})
    return ids if len(ids) <= bounded.LIMIT else None


def join_ids(ids: Sequence[int]) -> str:
    """Ids for one field of a form: Django refuses forms of more than a thousand fields."""
    return ",".join(map(str, ids))


@dataclass(frozen=True)
class Selection:
    """What sending them again would do, on the database where it would."""

    sendable: tuple[int, ...]
    already_sent: int
    in_hand: int
    emptied: int
    nobody: int


def survey(ids: Sequence[int], using: str) -> Selection:
    """Looks at them, and changes nothing."""
    sendable: list[int] = []
    already_sent = in_hand = emptied = nobody = 0
    for chunk in _chunks(ids):
        entries = SendLogEntry.objects.using(using).filter(pk__in=chunk)
        statuses = dict(entries.values_list("pk", "status"))
        whole = set(entries.can_be_sent().values_list("pk", flat=True))
        busy = set(entries.under_live_claim(timezone.now()).values_list("pk", flat=True)) & whole
        empty = entries.filter(payload="").count()
        sendable += sorted(whole - busy)
        already_sent += sum(statuses.get(pk) == Status.SENT for pk in whole - busy)
        in_hand += len(busy)
        emptied += empty
        nobody += len(statuses.keys() - whole) - empty
    return Selection(tuple(sendable), already_sent, in_hand, emptied, nobody)


def queue(ids: Sequence[int], request: HttpRequest, using: str) -> int:
    """Have them sent again, with a line in each one's history; returns how many. What a worker holds is left."""
    queued = 0
    with transaction.atomic(using=using):
        begun_at = timezone.now()
        for chunk in _chunks(ids):
            entries = SendLogEntry.objects.using(using).filter(pk__in=chunk)
            entries.resend(settings.ACCOUNT_ID)
            # A worker's claim can come between a look and the change: what has changed is seen from the change.
            pending = SendLogEntry.objects.using(using).with_status(Status.PENDING, chunk)
            reopened = pending.can_be_sent().filter(claim=None, attempts=0, reason="", due_at__gte=begun_at)
            logged = list(reopened.only("pk", "event_type", "reference"))
            history.note(request, logged, _("Queued to be sent again."))
            queued += len(logged)
        record.wake_after_commit(using)
    return queued


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
