"""The books of a chaos run: what the shop committed, what the log says, what the vendor got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from tests.chaos.duplicates import Duplicates, Request, explain
from tests.chaos.processes import Kill

DELIVERING = {
    "thread": "threads of web processes",
    "send_pending": "`send_pending --forever`",
    "celery": "Celery workers' children",
}


@dataclass(frozen=True)
class Books:
    """Everything that is compared. Orders are named by their number, requests are in the order in which they came."""

    committed: frozenset[str]
    recorded: Counter[str]
    sent: frozenset[str]
    unsettled: Counter[str]
    unanswered: Mapping[str, Sequence[datetime]]
    requests: Sequence[Request]
    kills: Sequence[Kill]
    resent_by_hand: int = 0
    violations: int = 0
    unclean_ends: tuple[str, ...] = ()

    @cached_property
    def received(self) -> frozenset[str]:
        """The orders that reached the vendor, whatever it answered."""
        return frozenset(order for request in self.requests for order in request.orders)

    @cached_property
    def accepted(self) -> frozenset[str]:
        """The orders that it took for its own."""
        return frozenset(order for request in self.requests if request.accepted for order in request.orders)

    @cached_property
    def duplicates(self) -> Duplicates:
        """What it took more than once."""
        return explain(self.requests, self.kills, self.unanswered)

    @property
    def in_flight_at_kills(self) -> int:
        """Requests, at most."""
        return sum(kill.in_flight for kill in self.kills)

    @cached_property
    def deliveries(self) -> Counter[str]:
        """How many accepted requests each kind of process has sent."""
        return Counter(request.sender.kind for request in self.requests if request.accepted)

    def faults(self) -> Iterable[str]:
        """What is wrong; nothing, if the promises hold."""
        yield from _found("committed and never recorded", self.committed - self.recorded.keys())
        yield from _found("committed and never accepted (lost)", self.committed - self.accepted)
        yield from _found("received and never committed (invented)", self.received - self.committed)
        yield from _found("recorded twice", {order for order, count in self.recorded.items() if count > 1})
        yield from _found("called sent and never received", self.sent - self.received)
        yield from _found("sent again though nobody was killed or left unanswered", self.duplicates.unexplained)
        for status, count in self.unsettled.items():
            yield f"{count} entries stuck as {status}"
        if len(self.duplicates.unnoted) > self.in_flight_at_kills:
            yield f"{len(self.duplicates.unnoted)} requests repeated, only {self.in_flight_at_kills} were in flight"
        if self.violations:
            yield f"{self.violations} requests were not as the vendor's document has them"
        yield from (
            f"nothing was delivered by {name}" for kind, name in DELIVERING.items() if not self.deliveries[kind]
        )
        yield from self.unclean_ends

    def lines(self) -> Iterable[str]:
        """The figures, a line each."""
        kinds = Counter(kill.kind for kill in self.kills)
        unnoted = self.duplicates.unnoted
        yield f"{len(self.kills):7} processes killed with SIGKILL: {_listed(kinds)}"
        yield f"{len(self.committed):7} orders committed"
        yield f"{len(self.accepted):7} distinct orders received and accepted"
        yield from (f"{self.deliveries[kind]:7} accepted requests by {name}" for kind, name in DELIVERING.items())
        yield f"{len(self.committed - self.accepted):7} lost"
        yield f"{len(self.received - self.committed):7} invented"
        yield f"{sum(self.unsettled.values()):7} stuck"
        yield f"{self.resent_by_hand:7} rejected with 4xx when alone, marked failed, and resent by hand"
        yield (
            f"{sum(map(len, unnoted.values())):7} sent again, as the process was killed before it noted the answer, "
            f"in {len(unnoted)} requests; {self.in_flight_at_kills} at most were in flight at the kills"
        )
        yield f"{len(self.duplicates.unanswered):7} sent again, as the vendor took them and did not answer in time"
        yield f"{len(self.duplicates.repeated):7} sent again at once, as the vendor had ended a kept connection"
        yield f"{len(self.duplicates.unexplained):7} sent again without a cause"


def _found(what: str, orders: Collection[str]) -> Iterable[str]:
    if orders:
        yield f"{len(orders)} orders {what}, such as {', '.join(sorted(orders)[:3])}"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
