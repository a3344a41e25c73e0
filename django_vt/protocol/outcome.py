"""What an answer, or none, means: for the entries of the request, and for the endpoint. One closed table.

No error body and no rate limit is documented by the vendor, so only the status counts, and 2xx is delivered.
"""

from __future__ import annotations

import dataclasses
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
    """What a backend gave, the shop's own perhaps. `TypeError` where it is no `Reply` with a status of HTTP's form."""
    if not isinstance(given, Reply) or not _is_status(given.status):
        raise TypeError("a backend must give a Reply")
    return given


def _is_status(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_STATUS


class Kind(enum.Enum):
    """What an answer says of the endpoint."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    MISCONFIGURED = "misconfigured"
    REJECTED = "rejected"


KIND_OF_STATUS = {
    **dict.fromkeys(range(200, 300), Kind.ACCEPTED),
    **dict.fromkeys(range(300, 400), Kind.MISCONFIGURED),
    **dict.fromkeys(range(400, 500), Kind.REJECTED),
    **dict.fromkeys((401, 403, 404, 405, 410), Kind.MISCONFIGURED),
    **dict.fromkeys((408, 425, 429), Kind.RETRY),
}
REJECTIONS = frozenset(status for status, kind in KIND_OF_STATUS.items() if kind is Kind.REJECTED)


@dataclass(frozen=True)
class Verdict:
    """A request's result, judged. `retry_after` is in seconds, within 1 s and 1 h."""

    kind: Kind
    reason: str = ""
    response_status: int | None = None
    retry_after: float | None = None

    @property
    def pauses(self) -> bool:
        """Whether sending to this endpoint pauses."""
        return self.kind in {Kind.RETRY, Kind.MISCONFIGURED}


def judge(result: Reply | DeliveryError, now: datetime) -> Verdict:
    """The verdict on what came back; a status outside the table (5xx among them) is tried again."""
    if isinstance(result, DeliveryError):
        return Verdict(Kind.RETRY, reasons.safe(result.reason))
    kind = KIND_OF_STATUS.get(result.status, Kind.RETRY)
    if kind is Kind.ACCEPTED:
        return Verdict(kind, response_status=result.status)
    reason = reasons.reason(reasons.ANSWERED, result.status)
    return Verdict(kind, reason, result.status, retry_after_seconds(result.retry_after, now))


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """`Retry-After`, seconds or an HTTP date, clamped to 1 s … 1 h; None where there is none or it makes no sense."""
    if header is None:
        return None
    header = str(header)  # a backend of the shop's own may give a number
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

    SPLIT = "split"  # they shared it: fewer share the next, at no attempt's cost
    AGAIN = "again"  # due as soon as sending is open, at no attempt's cost
    LATER = "later"  # due after the next of RETRY_DELAYS; the attempt counts
    FAILED = "failed"  # not tried any more


def reconsider(verdict: Verdict, *, shared: bool, accepted_since: bool) -> Verdict:
    """A lone entry rejected by an endpoint that has accepted nothing since it first rejected this one.

    That speaks against the configuration (or for a firewall), not against the entry.
    """
    if verdict.kind is Kind.REJECTED and not shared and not accepted_since:
        return dataclasses.replace(verdict, kind=Kind.MISCONFIGURED)
    return verdict


def fate(verdict: Verdict, *, shared: bool, counts: bool, attempts: int, allowed: int) -> Fate:
    """What becomes of entries whose request was not accepted.

    `counts`: the request was begun while sending was open and was no probe. `attempts`: those that counted before,
    of at most `allowed`; both concern an entry that stood alone.
    """
    if shared:
        return Fate.SPLIT
    if verdict.kind is Kind.REJECTED:
        return Fate.FAILED
    if not counts:
        return Fate.AGAIN
    return Fate.LATER if attempts + 1 < allowed else Fate.FAILED


def halved(batch_limit: int) -> int:
    """How many may share the next request when so many shared one that failed: 20, 10, 5, 2, 1."""
    return max(1, batch_limit // 2)


def delay_after(attempts: int, delays: Sequence[float]) -> float:
    """Seconds until the next try after so many failed attempts, ±20 %: not all at one moment."""
    return delays[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311


def attempts_allowed(delays: Sequence[float]) -> int:
    """How many attempts may fail: one before each delay, and the last."""
    return len(delays) + 1
