"""Why the vendor has accepted an order more than once: each time must have a cause that nobody could prevent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.chaos.processes import Kill

DEADLINE = timedelta(seconds=1.5)  # of a request, as the run's settings have it
# What is accepted within 50 ms is stored together, before another request begins; that takes some time to arrive.
STORED_WITHIN = timedelta(seconds=0.1)


@dataclass(frozen=True)
class Sender:
    """Who has sent a request: the kind of process, the process that was started, and the one of its group that sent.

    Each names itself in the `callback` of its requests.
    """

    kind: str
    group: int
    pid: int

    @classmethod
    def from_callback(cls, callback: str) -> Sender:
        """As apps.py writes it."""
        kind, group, pid = callback.rsplit("_", 2)
        return cls(kind, int(group), int(pid))


@dataclass(frozen=True)
class Request:
    """What the vendor got: from whom, when, which orders, and whether it took them for its own."""

    sender: Sender
    at: datetime
    orders: tuple[str, ...]
    accepted: bool = True


@dataclass(frozen=True)
class Duplicates:
    """Acceptances of an order that were not its last, by their cause.

    `unnoted`: requests whose process was killed before it had noted the answer: in flight, or of the last group that is
    stored together. `unanswered`: orders that the vendor took without the answer's reaching the sender in time, which
    the sender has noted. `repeated`: orders of requests that were repeated whole and at once, as the vendor had ended a
    kept connection without a byte of answer.
    """

    unnoted: Mapping[Request, Sequence[str]]
    unanswered: Sequence[str]
    repeated: Sequence[str]
    unexplained: Sequence[str]


def explain(requests: Sequence[Request], kills: Iterable[Kill], notes: Mapping[str, Sequence[datetime]]) -> Duplicates:
    """`requests` in the order in which they came; `notes`: when it was noted that an order got no answer."""
    in_flight = {kill.pid: kill.concurrency for kill in kills}
    sent: dict[Sender, list[Request]] = {}
    for each in requests:
        sent.setdefault(each.sender, []).append(each)
    unnoted: dict[Request, list[str]] = {}
    unanswered, repeated, unexplained = [], [], []
    for order, request, following in _repeated(requests):
        if any(request.at <= at <= following.at for at in notes.get(order, ())):
            unanswered.append(order)
        elif _is_repeated(request, following):
            repeated.append(order)
        elif request in unnoted or _was_killed(request, sent[request.sender], in_flight, unnoted):
            unnoted.setdefault(request, []).append(order)
        else:
            unexplained.append(order)
    return Duplicates(unnoted, unanswered, repeated, unexplained)


def _is_repeated(request: Request, following: Request) -> bool:
    """Whether a backend has repeated it within the deadline: a delivery would have noted something in between."""
    same = (following.sender, following.orders) == (request.sender, request.orders)
    return same and following.at - request.at <= DEADLINE


def _was_killed(
    request: Request, sent: Sequence[Request], in_flight: Mapping[int, int], unnoted: Iterable[Request]
) -> bool:
    """Whether its sender was, and had it in flight or had not stored yet that it was accepted.

    In flight it can have had as many as are known to have been and one more. `sent`: all that it has sent.
    """
    sender = request.sender
    concurrency = max(in_flight.get(sender.group, 0), in_flight.get(sender.pid, 0))
    if sum(each.sender == sender for each in unnoted) < concurrency:
        return True
    return concurrency > 0 and _is_of_the_last_group(request, sent, concurrency)


def _is_of_the_last_group(request: Request, sent: Sequence[Request], concurrency: int) -> bool:
    """Whether no request came later than those that can begin before it is stored that it was accepted.

    The one that takes its place is the last of as many later ones as have places. From then on it is stored within
    50 ms.
    """
    later = [each for each in sent if each.at > request.at]
    return len(later) <= concurrency or later[-1].at - later[concurrency - 1].at <= STORED_WITHIN


def _repeated(requests: Iterable[Request]) -> Iterator[tuple[str, Request, Request]]:
    """An order, the request that was accepted with it, and the next one that was."""
    last: dict[str, Request] = {}
    for request in requests:
        for order in request.orders if request.accepted else ():
            if order in last:
                yield order, last[order], request
            last[order] = request
