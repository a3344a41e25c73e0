"""The plan of every query as it is made, with the rows that each step has really read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

READING = ("SELECT", "UPDATE", "DELETE")
LOG = ("django_vt_sendlogentry", "django_vt_sendattempt")


@dataclass(frozen=True)
class Scan:
    """One step that reads a table of the send log: how, how many rows, and how many of them were of use."""

    kind: str
    relation: str
    index: str
    read: int
    used: int


@dataclass(frozen=True)
class Query:
    """A statement, the steps of it that read the send log, and the pages of eight kilobytes that it touched."""

    sql: str
    scans: tuple[Scan, ...]
    pages: int

    @property
    def read(self) -> int:
        """The most rows that one step has read."""
        return max((scan.read for scan in self.scans), default=0)

    def __str__(self) -> str:
        steps = "; ".join(
            f"{scan.kind} {scan.index or scan.relation}: {scan.used:,} of {scan.read:,}" for scan in self.scans
        )
        return f"{steps} ({self.pages:,} pages): {self.sql[:300]}"


@dataclass
class Recorded:
    """The queries made on the send log, what inserts into it, and how many statements there were on any table."""

    queries: list[Query] = field(default_factory=list)
    inserted: list[str] = field(default_factory=list)
    made: int = 0


@contextmanager
def explained() -> Iterator[Recorded]:
    """Explain each statement right before it runs, on the rows as it finds them."""
    recorded = Recorded()

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        recorded.made += not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK"))
        if any(table in sql for table in LOG):
            if sql.startswith(READING):
                recorded.queries.append(_explain(execute, sql, params, context))
            else:
                recorded.inserted.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield recorded


def _explain(execute: Callable[..., Any], sql: str, params: Any, context: dict[str, Any]) -> Query:
    """Run it for its plan, and take back what it has changed."""
    with transaction.atomic():
        execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params, False, context)
        [(plan,)] = context["cursor"].fetchall()
        transaction.set_rollback(True)
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    pages = top["Shared Hit Blocks"] + top["Shared Read Blocks"]
    return Query(sql, tuple(_scans(top)), pages)


def _scans(plan: dict[str, Any]) -> Iterator[Scan]:
    index = plan.get("Index Name", "")
    relation = plan.get("Relation Name", "")
    if "Scan" in plan["Node Type"] and (relation in LOG or _is_ours(index)):
        used = plan["Actual Rows"] * plan["Actual Loops"]
        removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        yield Scan(plan["Node Type"], relation, index, int(used + removed * plan["Actual Loops"]), int(used))
    for inner in plan.get("Plans", ()):
        yield from _scans(inner)


def _is_ours(index: str) -> bool:
    return index.startswith("django_vt_")
