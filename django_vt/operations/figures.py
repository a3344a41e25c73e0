"""The state of the send log in figures: for `send_log_status`, and above the admin's list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, F, Q
from django.utils import timezone

from django_vt.accounts import is_known
from django_vt.models import Endpoint, SendAttempt, SendLogEntry, Status, functions
from django_vt.models.send_log import SendLogQuerySet
from django_vt.operations.sending_state import SendingState

TOP_REASONS = 10
# How many of each status's newest entries are read for their reasons.
READ_FOR_REASONS = 250
# So many are looked at for what has failed since somebody last looked.
NEWEST_FAILED = 1000
WITHOUT_REASON = (Status.SENT,)
ALL = tuple(Status)
ENDED = (Status.SENT, Status.FAILED, Status.SKIPPED)


@dataclass(frozen=True)
class ReasonCount:
    """How many of a status's newest entries have the same reason (its stored form)."""

    status: str
    reason: str
    count: int


class Window(NamedTuple):
    """A span of recording times: from `start`, before `end`. None leaves that side open."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Figures:
    """The figures of the whole log, or of one account.

    `due_since`: since when the oldest due entry has been due; None if nothing is due. `strangers`: how many entries
    wait, unsent, for each account that the settings do not name.

    `counts` stop at one above `functions.LIMIT`, so that a log of millions answers as fast as one of thousands. An
    account's counts cover only the newest LIMIT entries of each status: no index holds the account, because most
    projects have only one.
    """

    sending: SendingState
    counts: dict[str, int]
    due_since: datetime | None
    reasons: Sequence[ReasonCount]
    strangers: dict[str, int]
    account_id: str | None = None

    @classmethod
    def of(cls, using: str, account_id: str | None = None) -> Figures:
        """The current figures of a database."""
        sending = SendingState.seen_on(using, account_id)
        if account_id is not None:
            return cls._of_account(using, account_id, sending)
        statuses = [status for status in Status if status not in WITHOUT_REASON]
        return cls(
            sending=sending,
            counts=count_by_status(using, [Window()])[0],
            due_since=due_since(using, sending),
            reasons=top_reasons(using, statuses, newest=READ_FOR_REASONS, most=TOP_REASONS),
            strangers=strangers(using),
        )

    @classmethod
    def _of_account(cls, using: str, account_id: str, sending: SendingState) -> Figures:
        return cls(
            sending=sending,
            counts=count_by_status(using, [Window()], account_id)[0],
            due_since=due_since(using, sending, account_id),
            reasons=_reasons_of_account(using, account_id),
            strangers=strangers(using, account_id),
            account_id=account_id,
        )

    @property
    def read_for_reasons(self) -> int:
        """How many of each status's newest entries were read for the reasons."""
        return READ_FOR_REASONS if self.account_id is None else functions.LIMIT

    def as_json(self) -> dict[str, Any]:
        """The figures in JSON's types; times in ISO 8601, durations in seconds."""
        now = self.sending.now
        return {
            "at": now.isoformat(),
            "account": self.account_id,
            "counts": {status: min(number, functions.LIMIT) for status, number in self.counts.items()},
            "counted_up_to": functions.LIMIT,
            "due_since": _iso(self.due_since),
            "due_for_seconds": int((now - self.due_since).total_seconds()) if self.due_since else 0,
            "enabled": self.sending.enabled,
            "held": self.sending.held,
            "sends_for_real": self.sending.sends_for_real,
            "endpoints": [_endpoint_as_json(endpoint) for endpoint in self.sending.endpoints],
            "reasons": [vars(reason) for reason in self.reasons],
            "reasons_of_newest": self.read_for_reasons,
            "held_accounts": list(self.sending.held_accounts),
            "waiting_for_unknown_accounts": self.strangers,
        }


def count_by_status(using: str, windows: Sequence[Window], account_id: str | None = None) -> list[dict[str, int]]:
    """For each window, how many entries recorded in it stand where: one statement, each count by an index.

    Of an account: how many of the newest within the limit, a query each.
    """
    asked = list(map(_recorded_in, windows))
    if account_id is None:
        return _count(using, [(each, ALL) for each in asked])
    entries = SendLogEntry.objects.using(using)
    return [
        {str(status): len(_its_reasons(entries.filter(**each, status=status), account_id)) for status in Status}
        for each in asked
    ]


def count_by_type(using: str, window: Window, event_types: Sequence[str]) -> dict[str, dict[str, int]]:
    """For each of the types, how many entries recorded in the window stand where: one statement, by an index."""
    asked = [({"event_type": event_type, **_recorded_in(window)}, ALL) for event_type in event_types]
    return dict(zip(event_types, _count(using, asked), strict=True))


def _count(using: str, several: Sequence[tuple[Mapping[str, Any], Sequence[Status]]]) -> list[dict[str, int]]:
    asked = [{"status": status, **lookups} for lookups, statuses in several for status in statuses]
    numbers = iter(functions.count_each(SendLogEntry.objects.using(using), asked))
    return [{str(status): next(numbers) for status in statuses} for _lookups, statuses in several]


def failed_since(using: str, since: datetime) -> int:
    """How many of the newest thousand that failed did so since a moment, whenever they were recorded."""
    entries = SendLogEntry.objects.using(using)
    newest_first = entries.filter(status=Status.FAILED).order_by(*functions.NEWEST_FIRST)
    newest = newest_first.values_list("pk", "created_at")[:NEWEST_FAILED]
    older = [pk for pk, created_at in newest if created_at < since]
    # Not by a subquery: PostgreSQL would read all attempts for it.
    attempts = SendAttempt.objects.using(using).filter(entry__in=older, at__gte=since)
    return len(newest) - len(older) + len(set(attempts.values_list("entry", flat=True)))


def top_reasons(
    using: str, statuses: Sequence[Status], *, since: datetime | None = None, newest: int | None = None, most: int,
    event_type: str = "",
) -> list[ReasonCount]:  # fmt: skip
    """The commonest reasons, the commonest first, of the `newest` entries of each status within the limit.

    No index would serve a GROUP BY over all entries of a status.
    """
    entries = SendLogEntry.objects.using(using)
    within = {**_of_type(event_type), **_recorded_in(Window(start=since))}
    ids = [
        pk for status in statuses
        for pk in functions.first_ids(entries.filter(**within, status=status), most=newest)
    ]  # fmt: skip
    counted = entries.filter(pk__in=ids).exclude(reason="").values_list("status", "reason").annotate(number=Count("pk"))
    return [ReasonCount(*row) for row in counted.order_by("-number", "status", "reason")[:most]]


def _reasons_of_account(using: str, account_id: str) -> list[ReasonCount]:
    entries = SendLogEntry.objects.using(using)
    counted = Counter(
        (str(status), reason)
        for status in Status
        if status not in WITHOUT_REASON
        for reason in _its_reasons(entries.filter(status=status), account_id)
        if reason
    )
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [ReasonCount(status, reason, number) for (status, reason), number in ordered[:TOP_REASONS]]


def _its_reasons(entries: SendLogQuerySet, account_id: str) -> list[str]:
    """The reasons of an account's entries among the newest within the limit. Python compares, so case matters."""
    newest = entries.order_by("-created_at").values_list("account_id", "reason")[: functions.LIMIT]
    return [reason for account, reason in newest if account == account_id]


def strangers(using: str, account_id: str | None = None) -> dict[str, int]:
    """How many of the newest pending entries are for each account that the settings do not name.

    `account_id`: count for this account only.
    """
    entries = SendLogEntry.objects.using(using)
    ids = functions.first_ids(entries.filter(status=Status.PENDING))
    waiting = entries.filter(pk__in=ids).order_by("account_id").values_list("account_id").annotate(number=Count("pk"))
    return {account: number for account, number in waiting if not is_known(account) and account_id in {None, account}}


def due_since(using: str, sending: SendingState, account_id: str | None = None) -> datetime | None:
    """Since when the oldest due entry, of all or of one account, has been due; None if nothing is due."""
    return min(_due_since(using, sending, account_id), default=None)


def _due_since(using: str, sending: SendingState, account_id: str | None) -> Iterator[datetime]:
    entries = SendLogEntry.objects.using(using)
    if account_id is not None:
        entries = entries.filter(account_id=account_id)
    since = entries.all().due_since(sending.now_ms)
    if since is not None:
        yield since
    # If a probe fails, its entry gets a new `due_at`, and a lone entry waits longer each time. If no other orders come,
    # that entry alone shows the outage: a wait that did not count as an attempt means that the vendor accepts nothing.
    most = functions.LIMIT if sending.troubled() else READ_FOR_REASONS
    ids = functions.first_ids(entries.filter(status=Status.PENDING), by=functions.OLDEST_FIRST, most=most)
    in_vain = Q(waits__gt=F("attempts"))
    waiting = Q(due_at__lte=sending.now_ms) | Q(claim__isnull=False)
    for endpoint in sending.endpoints:
        its = {"account_id": endpoint.account_id, "event_type": endpoint.event_type, "pk__in": ids}
        held_up = entries.filter(in_vain if endpoint.is_open() else in_vain | waiting, **its)
        for oldest in functions.sorted_apart(held_up.order_by(*functions.OLDEST_FIRST))[:1]:
            yield max(oldest.created_at, endpoint.last_success_moment or oldest.created_at)


def _of_type(event_type: str) -> dict[str, Any]:
    return {"event_type": event_type} if event_type else {}


def _recorded_in(window: Window) -> dict[str, Any]:
    lookups = {"created_at__gte": window.start, "created_at__lt": window.end}
    return {name: moment for name, moment in lookups.items() if moment is not None}


def _endpoint_as_json(endpoint: Endpoint) -> dict[str, Any]:
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


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


# The periods of the admin's list and of the figures above it: the last 24 hours, 7 days and 30 days.

REASONS_OF_A_PERIOD = 5
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Period:
    """A window that ends now. Its chart is divided into hours if `by_hour`, otherwise into days."""

    key: str
    length: timedelta
    by_hour: bool = False

    def start(self) -> datetime:
        """When the period begins."""
        return timezone.now() - self.length

    def steps(self) -> list[tuple[datetime, datetime]]:
        """The chart's hours, or days in the current time zone; the last one is not over yet."""
        now = timezone.localtime() if timezone.is_aware(timezone.now()) else timezone.now()
        step = timedelta(hours=1) if self.by_hour else timedelta(days=1)
        first = now.replace(minute=0, second=0, microsecond=0)
        last = first if self.by_hour else first.replace(hour=0)
        count = self.length // step
        return [(last - step * back, last - step * (back - 1)) for back in reversed(range(count))]


DAY = Period("24h", timedelta(hours=24), by_hour=True)
PERIODS = (DAY, Period("7d", timedelta(days=7)), Period("30d", timedelta(days=30)))
PERIOD_OF = {period.key: period for period in PERIODS}


class Step(NamedTuple):
    """One hour or day of the chart, and the number of entries recorded in it, by status."""

    start: datetime
    counts: dict[str, int]


@dataclass(frozen=True)
class PeriodFigures:
    """Counts by status for each of the periods; the steps and the top reasons of failure of one of them.

    `before`: for each step, how many of those recorded a week earlier have ended.
    """

    by_period: tuple[tuple[Period, dict[str, int]], ...]
    steps: tuple[Step, ...]
    before: tuple[int, ...]
    failures: tuple[ReasonCount, ...]

    @classmethod
    def of(cls, period: Period, using: str, event_type: str = "") -> PeriodFigures:
        """Those of a database, or of one event type in it, as they are now: three queries."""
        steps = period.steps()
        windows = [Window(start=each.start()) for each in PERIODS]
        windows += [Window(*step) for step in steps]
        asked = [({**_of_type(event_type), **_recorded_in(window)}, ALL) for window in windows]
        earlier = [Window(start - WEEK, end - WEEK) for start, end in steps]
        asked += [({**_of_type(event_type), **_recorded_in(window)}, ENDED) for window in earlier]
        counts = iter(_count(using, asked))
        failures = top_reasons(
            using, [Status.FAILED], since=period.start(), most=REASONS_OF_A_PERIOD, event_type=event_type
        )
        return cls(
            by_period=tuple((each, next(counts)) for each in PERIODS),
            steps=tuple(Step(start, next(counts)) for start, _end in steps),
            before=tuple(sum(each.values()) for each in counts),
            failures=tuple(failures),
        )
