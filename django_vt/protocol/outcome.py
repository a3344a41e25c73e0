"""What an answer, or none, means: whose fault it was, what becomes of the entries, whether sending pauses.

Functions of values: no database, no clock. No error body and no rate limit is documented by the vendor, so only the
status counts, and 2xx is delivered. An entry that a request has failed with is a *suspect* until one is accepted.
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
    """What the vendor answered: the HTTP `status`, and in `retry_after` the header as it came, if any.

    The header is read as seconds or as an HTTP date, and kept within 1 second and 1 hour.
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
    """What an answer says of the endpoint."""

    ACCEPTED = "accepted"
    RETRY = "retry"  # failed: the entry's fault or the endpoint's
    AWAY = "away"  # the endpoint's fault, whoever asked: no connection, or it asks for a rest
    MISCONFIGURED = "misconfigured"  # the endpoint's fault too, and somebody must mend the settings
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
    """A request's result, judged. `retry_after` is in seconds, within 1 s and 1 h."""

    kind: Kind
    reason: str = ""
    response_status: int | None = None
    retry_after: float | None = None

    @property
    def is_endpoints_fault(self) -> bool:
        """Whether it says nothing against the entries: sending pauses, whoever asked."""
        return self.kind in {Kind.AWAY, Kind.MISCONFIGURED}


def judge(result: Reply | DeliveryError, now: datetime) -> Verdict:
    """The verdict on what came back; a status outside the table (5xx among them) is tried again."""
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
    """`Retry-After`, seconds or an HTTP date, clamped to 1 s … 1 h; None where there is none or it makes no sense."""
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

    AGAIN = "again"  # the endpoint's fault: due as soon as sending is open, as if not tried
    SPLIT = "split"  # they shared it: they are suspects, and fewer share the next; no attempt counts
    WAIT = "wait"  # it stood alone, and nothing else was accepted since: it waits, and no attempt counts
    LATER = "later"  # it waits, and the attempt counts
    FAILED = "failed"  # not tried any more


@dataclass(frozen=True)
class Record:
    """What is known of an entry that stood alone in a request, when that has failed.

    `attempts`: those that counted before. `accepted_since_tried`, `accepted_since_rejected`: whether the endpoint has
    accepted anything since the entry's failure before, or since the vendor first rejected it.
    """

    attempts: int = 0
    accepted_since_tried: bool = False
    accepted_since_rejected: bool = False


def fate(verdict: Verdict, *, shared: bool, record: Record, allowed: int) -> Fate:
    """What becomes of entries whose request was not accepted; `record` is that of an entry that stood alone.

    `allowed`: how many attempts may fail.
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
OUTAGE = 4  # pauses in a row: fewer may be bad entries that happened to probe


def pause_after(verdict: Verdict, *, is_probe: bool, failures_in_row: int, patience: int, pauses: int) -> float | None:
    """How long sending pauses after a request that was not accepted, in seconds; None: it goes on.

    `failures_in_row`: how many requests in a row failed that held entries which were no suspects, none in two of them;
    0 where this one held suspects. `patience`: so many of them pause it. `pauses`: how many came in a row before.
    """
    if not (verdict.is_endpoints_fault or is_probe or failures_in_row >= patience):
        return None
    if verdict.kind in {Kind.AWAY, Kind.MISCONFIGURED} and verdict.retry_after is not None:
        return verdict.retry_after
    return min(FIRST_PAUSE * 2.0 ** min(pauses, 20), LONGEST_PAUSE)


SUSPECTS_PATIENCE, SUSPECTS_FIRST_REST = 3, 20.0


def suspects_rest(failures: int, *, patience: int) -> float | None:
    """How long suspects rest, all of an address, after so many failed requests of theirs in a row; None: they go on.

    Nothing was accepted meanwhile: it may be an outage that began with them. Others are not held up by it. With more
    `patience` bad entries are known to be many, and more of their failures in a row are chance.
    """
    allowed = SUSPECTS_PATIENCE * 2 ** (patience - LEAST_PATIENCE)
    if failures < allowed:
        return None
    return float(min(SUSPECTS_FIRST_REST * 2.0 ** min(failures - allowed, 20), LONGEST_PAUSE))


def patience_after_success(*, failures_in_row: int, patience: int, shared: bool, pauses: int = 0) -> int:
    """How many failures in a row shall pause sending, after a request was accepted.

    One more if failures came before: then these were the entries' fault, and so may the next be. One less if it was
    shared and none came before. The least after an outage: several probes failed, as `pauses` in a row say.
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


SUSPECTS_SHARE = 4  # of so many requests one may be with suspects, while others wait


def next_turn(
    *, fresh_waits: bool, suspects_wait: bool, suspects_in_flight: int, fresh_since: int, concurrency: int
) -> Turn | None:
    """Whose request comes next; None: nobody's yet.

    `fresh_since`: how many requests of others were begun since the last with suspects. While others wait, suspects get
    one request in four and one in flight. While none do, one place stays free for an order that comes.
    """
    if fresh_waits:
        may = suspects_wait and not suspects_in_flight and fresh_since >= SUSPECTS_SHARE - 1
        return Turn.SUSPECT if may else Turn.FRESH
    return Turn.SUSPECT if suspects_wait and suspects_in_flight < max(1, concurrency - 1) else None


MANY_BAD = 4  # a patience from which on bad entries are so many that hardly a shared request gets through


def smaller(sharing: int, verdict: Verdict, *, patience: int) -> int:
    """How many may share the next request when so many shared one that failed: 20, 10, 5, 2, 1.

    One at once where halving would only cost: after a time-out, as each more would take as long, and where bad entries
    are many.
    """
    if reasons.split(verdict.reason)[0] == reasons.TIMED_OUT or patience >= MANY_BAD:
        return 1
    return max(1, sharing // 2)


def delay_after(waits: int, delays: Sequence[float]) -> float:
    """Seconds until the next try of an entry that has failed alone so many times, ±20 %: not all at one moment.

    At least one: a try that does not count could else be followed by the next at once, without end.
    """
    delay = delays[min(waits, len(delays)) - 1] if delays else FIRST_PAUSE
    return max(1.0, delay * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311


def longest_delay(delays: Sequence[float]) -> float:
    """The longest that `delay_after` gives, seconds."""
    return max([*delays, FIRST_PAUSE]) * (1 + JITTER)


def attempts_allowed(delays: Sequence[float]) -> int:
    """How many attempts may fail: one before each delay, and the last."""
    return len(delays) + 1
