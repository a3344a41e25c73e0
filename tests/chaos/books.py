"""The books of a chaos run: what the shop committed, what the log says, what the vendor got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Books:
    """Everything that is compared. Orders are named by their number."""

    committed: frozenset[str]
    recorded: Counter[str]
    sent: frozenset[str]
    unsettled: Counter[str]
    received: frozenset[str]
    accepted: Counter[str]
    in_flight_at_kills: int
    kills: int
    resent_by_hand: int
    violations: int
    unclean_ends: tuple[str, ...]

    @property
    def duplicates(self) -> int:
        """Events that the vendor answered with 2xx more than once."""
        return sum(count - 1 for count in self.accepted.values())

    def faults(self) -> Iterable[str]:
        """What is wrong; nothing, if the promises hold."""
        yield from self._found("committed and never recorded", self.committed - self.recorded.keys())
        yield from self._found("committed and never accepted (lost)", self.committed - self.accepted.keys())
        yield from self._found("received and never committed (invented)", self.received - self.committed)
        yield from self._found("recorded twice", {order for order, count in self.recorded.items() if count > 1})
        yield from self._found("called sent and never received", self.sent - self.received)
        for status, count in self.unsettled.items():
            yield f"{count} entries stuck as {status}"
        if self.duplicates > self.in_flight_at_kills:
            yield f"{self.duplicates} duplicates, but only {self.in_flight_at_kills} events in flight at the kills"
        if self.violations:
            yield f"{self.violations} requests were not as the vendor's document has them"
        yield from self.unclean_ends

    def lines(self) -> Iterable[str]:
        """The figures, a line each."""
        yield f"{self.kills:7} processes killed with SIGKILL"
        yield f"{len(self.committed):7} orders committed"
        yield f"{len(self.accepted):7} distinct orders received and accepted"
        yield f"{len(self.committed - self.accepted.keys()):7} lost"
        yield f"{len(self.received - self.committed):7} invented"
        yield f"{sum(self.unsettled.values()):7} stuck"
        yield f"{self.resent_by_hand:7} rejected with 4xx when alone, marked failed, and resent by hand"
        yield f"{self.duplicates:7} sent twice: answered with 2xx, but the process was killed before it had noted it"
        yield f"{self.in_flight_at_kills:7} events at most were in flight at the kills, which is the bound for that"

    @staticmethod
    def _found(what: str, orders: set[str] | frozenset[str]) -> Iterable[str]:
        if orders:
            yield f"{len(orders)} orders {what}, such as {', '.join(sorted(orders)[:3])}"
