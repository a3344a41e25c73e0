"""The meaning of an answer, or of none: whose fault it was, what becomes of the entries, whether sending pauses.

Pure functions: no database, no clock. The vendor documents neither error bodies nor rate limits, so only the status
counts, and 2xx means delivered. An entry is a *suspect* after a request with it has failed, until one is accepted.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from django_vt.exceptions import DeliveryError
from django_vt.protocol import reasons

SHORTEST_RETRY_AFTER = 1.0
LONGEST_RETRY_AFTER = 3600.0
JITTER = 0.2
LARGEST_STATUS = 999


@dataclass(frozen=True)
class Reply:
    """The vendor's answer: the HTTP `status`, and the unparsed Retry-After header in `retry_after`, if any.

    The header is later read as seconds or as an HTTP date, and clamped to between 1 second and 1 hour.
    """

    status: int
    retry_after: str | None = None


def checked(given: object) -> Reply:
    """What a backend gave, the shop's own perhaps, in plain values: it may give an `HTTPStatus`, a number as header.

    `TypeError` where it is no `Reply` with a status of HTTP's form.
    """
    if not isinstance(given, Reply) or not _is_status(given.status):
        raise TypeError("a backend must give a Reply")
    return Reply(int(given.status), None if given.retry_after is None else str(given.retry_after))


def _is_status(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_STATUS


class Kind(enum.Enum):
    """What an answer says about the endpoint."""

    ACCEPTED = "accepted"
    RETRY = "retry"  # failed, by the fault of an entry or of the endpoint
    AWAY = "away"  # the endpoint's fault, whatever was sent: no connection, or it asks for a rest
    MISCONFIGURED = "misconfigured"  # the endpoint's fault too: somebody must correct the settings
    REJECTED = "rejected"


KIND_OF_STATUS = {
    **dict.fromkeys(range(200, 300), Kind.ACCEPTED),
    **dict.fromkeys(range(300, 400), Kind.MISCONFIGURED),
    **dict.fromkeys(range(400, 500), Kind.REJECTED),
    **dict.fromkeys((401, 403, 404, 405, 410), Kind.MISCONFIGURED),
    **dict.fromkeys((408, 425, 429), Kind.RETRY),
}
ASK_FOR_REST = frozenset((429, 503))  # with Retry-After
KIND_OF_REASON = {
    **dict.fromkeys((reasons.UNREACHABLE, reasons.UNKNOWN_HOST, reasons.TLS, reasons.TLS_VERSION), Kind.AWAY),
    reasons.PLAIN_HTTP: Kind.MISCONFIGURED,
}


@dataclass(frozen=True)
class Verdict:
    """A request's result, judged. `retry_after` is in seconds, between 1 and 3600."""

    kind: Kind
    reason: str = ""
    response_status: int | None = None
    retry_after: float | None = None

    @property
    def is_endpoints_fault(self) -> bool:
        """Whether the entries are not to blame: then sending pauses, whatever was sent."""
        return self.kind in {Kind.AWAY, Kind.MISCONFIGURED}


def judge(result: Reply | DeliveryError, now: datetime) -> Verdict:
    """The verdict on a result. Requests with a status outside the table, such as 5xx, are tried again."""
    if isinstance(result, DeliveryError):
        reason = reasons.safe(result.reason)
        return Verdict(KIND_OF_REASON.get(reasons.split(reason)[0], Kind.RETRY), reason)
    kind = KIND_OF_STATUS.get(result.status, Kind.RETRY)
    if kind is Kind.ACCEPTED:
        return Verdict(kind, response_status=result.status)
    rest = retry_after_seconds(result.retry_after, now)
    if rest is not None and result.status in ASK_FOR_REST:
        kind = Kind.AWAY
    return Verdict(kind, reasons.reason(reasons.ANSWERED, result.status), result.status, rest)


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """`Retry-After`, seconds or an HTTP date, clamped to 1 s … 1 h; None if it is missing or malformed."""
    if header is None:
        return None
    try:
        seconds = int(header) if header.strip().isdecimal() else _seconds_until(header, now)
    except (ValueError, TypeError, OverflowError):
        return None
    return float(min(max(seconds, SHORTEST_RETRY_AFTER), LONGEST_RETRY_AFTER))


def _seconds_until(date: str, now: datetime) -> float:
    moment = parsedate_to_datetime(date)
    return (moment.replace(tzinfo=moment.tzinfo or timezone.utc) - now.astimezone(timezone.utc)).total_seconds()


class Fate(enum.Enum):
    """What becomes of the entries of a request that was not accepted."""

    AGAIN = "again"  # the endpoint was at fault: due as soon as sending is open, as if not tried
    SPLIT = "split"  # several shared the request: they become suspects, fewer share the next; no attempt counts
    WAIT = "wait"  # the entry was alone, and nothing else was accepted since: it waits, and no attempt counts
    LATER = "later"  # the entry waits, and the attempt counts
    FAILED = "failed"  # not tried any more


@dataclass(frozen=True)
class Record:
    """The record of an entry whose request, which it did not share, has failed.

    `attempts`: its attempts that counted before. `accepted_since_tried`: whether the endpoint has accepted anything
    since the entry's previous failure. `accepted_since_rejected`: the same since the vendor first rejected the entry.
    """

    attempts: int = 0
    accepted_since_tried: bool = False
    accepted_since_rejected: bool = False


def fate(verdict: Verdict, *, shared: bool, record: Record, allowed: int) -> Fate:
    """What becomes of the entries of a request that was not accepted.

    `record`: used only if the request was not `shared`. `allowed`: how many attempts may fail.
    """
    if verdict.is_endpoints_fault:
        return Fate.AGAIN
    if shared:
        return Fate.SPLIT
    if verdict.kind is Kind.REJECTED:
        return Fate.FAILED if record.accepted_since_rejected else Fate.WAIT
    if not record.accepted_since_tried:
        return Fate.WAIT
    return Fate.LATER if record.attempts + 1 < allowed else Fate.FAILED


FIRST_PAUSE, LONGEST_PAUSE = 5.0, 900.0  # seconds
LEAST_PATIENCE, MOST_PATIENCE = 2, 6
OUTAGE = 4  # pauses in a row: fewer may be due to bad entries that were the probe by chance


def pause_after(verdict: Verdict, *, is_probe: bool, failures_in_row: int, patience: int, pauses: int) -> float | None:
    """Seconds that sending pauses after a request that was not accepted; None if it goes on.

    `failures_in_row`: how many requests without suspects have failed in a row, each with other entries; 0 if this
    request held suspects. `patience`: how many of these failures cause a pause. `pauses`: how many pauses in a row came
    before.
    """
    if not (verdict.is_endpoints_fault or is_probe or failures_in_row >= patience):
        return None
    if verdict.kind in {Kind.AWAY, Kind.MISCONFIGURED} and verdict.retry_after is not None:
        return verdict.retry_after
    return min(FIRST_PAUSE * 2.0 ** min(pauses, 20), LONGEST_PAUSE)


SUSPECTS_PATIENCE, SUSPECTS_FIRST_REST = 3, 20.0


def suspects_rest(failures: int, *, patience: int) -> float | None:
    """Seconds that all suspects of an address rest after this many of their requests failed in a row; None: no rest.

    Nothing was accepted meanwhile, so it may be an outage. Other entries are not held up. A higher `patience` means
    that bad entries are known to be many, so more failures in a row are allowed as chance.
    """
    allowed = SUSPECTS_PATIENCE * 2 ** (patience - LEAST_PATIENCE)
    if failures < allowed:
        return None
    return float(min(SUSPECTS_FIRST_REST * 2.0 ** min(failures - allowed, 20), LONGEST_PAUSE))


def patience_after_success(*, failures_in_row: int, patience: int, shared: bool, pauses: int = 0) -> int:
    """The new `patience`, how many failures in a row pause sending, after a request was accepted.

    One more if failures came before: they were the entries' fault, and the next may be too. One less if no failure came
    before and the request was shared. The least after an outage, which shows in many `pauses` in a row.
    """
    if pauses > OUTAGE:
        return LEAST_PATIENCE
    if failures_in_row:
        return min(patience + 1, MOST_PATIENCE)
    return max(patience - 1, LEAST_PATIENCE) if shared else patience


class Turn(enum.Enum):
    """Which kind of request comes next."""

    FRESH = "fresh"
    SUSPECT = "suspect"


SUSPECTS_SHARE = 4  # while others wait, one of this many requests may be with suspects


def next_turn(
    *, fresh_waits: bool, suspects_wait: bool, suspects_in_flight: int, fresh_since: int, concurrency: int
) -> Turn | None:
    """The kind of request that comes next; None if none may begin yet.

    `fresh_since`: how many requests without suspects were begun since the last one with suspects. While such requests
    wait, suspects get one request in four, and one in flight. Otherwise one place stays free for a new order.
    """
    if fresh_waits:
        may = suspects_wait and not suspects_in_flight and fresh_since >= SUSPECTS_SHARE - 1
        return Turn.SUSPECT if may else Turn.FRESH
    return Turn.SUSPECT if suspects_wait and suspects_in_flight < max(1, concurrency - 1) else None


MANY_BAD = 4  # from this patience on, bad entries are so many that hardly any shared request gets through


def smaller(sharing: int, verdict: Verdict, *, patience: int) -> int:
    """How many entries may share the next request after `sharing` shared one that failed: 20, 10, 5, 2, 1.

    Go to 1 directly if halving would only cost time: after a time-out, because the next may take as long, and if bad
    entries are many.
    """
    if reasons.split(verdict.reason)[0] == reasons.TIMED_OUT or patience >= MANY_BAD:
        return 1
    return max(1, sharing // 2)


def delay_after(waits: int, delays: Sequence[float]) -> float:
    """Seconds until the next try of an entry that has failed alone `waits` times. ±20 % spreads the tries.

    At least one second: otherwise tries that do not count could follow each other immediately, without end.
    """
    delay = delays[min(waits, len(delays)) - 1] if delays else FIRST_PAUSE
    return max(1.0, delay * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311


def longest_delay(delays: Sequence[float]) -> float:
    """The longest delay that `delay_after` gives, in seconds."""
    return max([*delays, FIRST_PAUSE]) * (1 + JITTER)


def attempts_allowed(delays: Sequence[float]) -> int:
    """How many attempts may fail: one before each delay, and the last."""
    return len(delays) + 1
