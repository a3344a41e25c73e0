"""How the send log and sending stand: the figures of `send_log_status`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from django_vt.conf import settings
from django_vt.delivery.clock import database_now
from django_vt.models import Endpoint, SendLogEntry, Status, functions
from django_vt.models.functions import moment
from django_vt.operations import sending_state

TOP_REASONS = 10
# Of each status so many entries are read for their reasons, the newest.
READ_FOR_REASONS = 250


@dataclass(frozen=True)
class ReasonCount:
    """How many of a status's newest entries have the same reason (its stored form)."""

    status: str
    reason: str
    count: int


@dataclass(frozen=True)
class Figures:
    """As they were at `now`. `due_since`: since when the oldest due entry has been, None where none is.

    `counts` end one above `functions.LIMIT`: a log of millions answers as soon as one of thousands.
    """

    now: datetime
    now_ms: int
    counts: dict[str, int]
    due_since: datetime | None
    enabled: bool
    held: bool
    endpoints: Sequence[Endpoint]
    reasons: Sequence[ReasonCount]

    @classmethod
    def of(cls, using: str) -> Figures:
        """Those of a database."""
        now, endpoints = database_now(using), sending_state.endpoints(using)
        return cls(
            now=moment(now),
            now_ms=now,
            counts=_counts(using),
            due_since=min(_due_since(using, now, endpoints), default=None),
            enabled=bool(settings.ENABLED),
            held=Endpoint.objects.using(using).held(),
            endpoints=endpoints,
            reasons=_reasons(using),
        )

    def as_json(self) -> dict[str, Any]:
        """In plain types; times are ISO 8601, lengths of time in seconds."""
        return {
            "at": self.now.isoformat(),
            "counts": {status: min(number, functions.LIMIT) for status, number in self.counts.items()},
            "counted_up_to": functions.LIMIT,
            "due_since": _iso(self.due_since),
            "due_for_seconds": int((self.now - self.due_since).total_seconds()) if self.due_since else 0,
            "enabled": self.enabled,
            "held": self.held,
            "endpoints": [self._endpoint_as_json(endpoint) for endpoint in self.endpoints],
            "reasons": [vars(reason) for reason in self.reasons],
            "reasons_of_newest": READ_FOR_REASONS,
        }

    def _endpoint_as_json(self, endpoint: Endpoint) -> dict[str, Any]:
        return {
            "account_id": endpoint.account_id,
            "event_type": endpoint.event_type,
            "address": endpoint.address,
            "state": "open" if endpoint.is_open() else "paused",
            "paused_until": _iso(endpoint.paused_until_moment),
            "consecutive_failures": endpoint.consecutive_failures,
            "last_success_at": _iso(endpoint.last_success_moment),
            "reason": endpoint.reason,
        }


def _counts(using: str) -> dict[str, int]:
    entries = SendLogEntry.objects.using(using)
    each = functions.count_each([entries.filter(status=status) for status in Status.values], using)
    return dict(zip(Status.values, each, strict=True))


def _reasons(using: str) -> list[ReasonCount]:
    entries = SendLogEntry.objects.using(using)
    told = [status for status in Status.values if status != Status.SENT]
    ids = [pk for status in told for pk in functions.first_ids(entries.filter(status=status), most=READ_FOR_REASONS)]
    counted = entries.filter(pk__in=ids).exclude(reason="").values_list("status", "reason").annotate(number=Count("pk"))
    return [ReasonCount(*row) for row in counted.order_by("-number", "status", "reason")[:TOP_REASONS]]


def _due_since(using: str, now: int, endpoints: Sequence[Endpoint]) -> Iterator[datetime]:
    entries = SendLogEntry.objects.using(using)
    since = entries.due_since(now)
    if since is not None:
        yield since
    # A probe that fails makes its entry due anew. Where that is the only one, it has waited for longer than it says.
    closed = [endpoint for endpoint in endpoints if not endpoint.is_open()]
    ids = functions.first_ids(entries.filter(status=Status.PENDING), by=functions.OLDEST_FIRST) if closed else []
    waiting = entries.filter(Q(due_at__lte=now) | Q(claim__isnull=False), pk__in=ids)
    for endpoint in closed:
        ordered = functions.sorted_apart(
            waiting.filter(account_id=endpoint.account_id, event_type=endpoint.event_type).order_by(
                *functions.OLDEST_FIRST
            )
        )
        for oldest in ordered[:1]:
            yield max(oldest.created_at, endpoint.last_success_moment or oldest.created_at)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
