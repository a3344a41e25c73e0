"""The figures as metrics: one list, for `send_log_status --format prometheus` and for OpenTelemetry.

All are gauges, because counts fall when `purge_send_log` deletes entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django_vt.models import Endpoint, functions
from django_vt.operations.figures import Window, count_by_status, due_since
from django_vt.operations.sending_state import SendingState

HOUR = timedelta(hours=1)


class Sample(NamedTuple):
    """A value with its labels."""

    labels: dict[str, str]
    value: float


@dataclass(frozen=True)
class Look:
    """The data of all metrics, read at one moment. `counts` and `last_hour` stop at one above `functions.LIMIT`."""

    sending: SendingState
    counts: dict[str, int]
    last_hour: dict[str, int]
    due_since: datetime | None
    account_id: str | None = None

    @classmethod
    def at(cls, using: str, account_id: str | None = None) -> Look:
        """The current state of the log on a database, or of one account in it."""
        sending = SendingState.seen_on(using, account_id)
        counts, last_hour = count_by_status(using, [Window(), Window(start=sending.now - HOUR)], account_id)
        return cls(sending, counts, last_hour, due_since(using, sending, account_id), account_id)


@dataclass(frozen=True)
class Metric:
    """A gauge. `name` lacks the prefix `django_vt_` and the `unit`, which is `seconds` or empty."""

    name: str
    help: str
    read: Callable[[Look], Iterable[Sample]]
    unit: str = ""

    @property
    def full_name(self) -> str:
        """The metric's name in Prometheus."""
        return "_".join(filter(None, ("django_vt", self.name, self.unit)))


def _by_status(counts: dict[str, int]) -> Iterator[Sample]:
    for status, number in counts.items():
        yield Sample({"status": status}, min(number, functions.LIMIT))


def _due_age(look: Look) -> Iterator[Sample]:
    since = look.due_since
    yield Sample({}, 0 if since is None else (look.sending.now - since).total_seconds())


def _held(look: Look) -> Iterator[Sample]:
    if look.account_id is not None:
        yield Sample({}, look.sending.held or bool(look.sending.held_accounts))
        return
    yield Sample({}, look.sending.held)
    for account_id in look.sending.held_accounts:
        yield Sample({"account": account_id}, 1)


def _of_endpoints(value: Callable[[Endpoint], float | None]) -> Callable[[Look], Iterator[Sample]]:
    def read(look: Look) -> Iterator[Sample]:
        for endpoint in look.sending.endpoints:
            found = value(endpoint)
            if found is not None:
                yield Sample({"account": endpoint.account_id, "event_type": endpoint.event_type}, found)

    return read


METRICS = (
    Metric(
        "entries",
        f"Entries of the send log by status, counted up to {functions.LIMIT}.",
        lambda look: _by_status(look.counts),
    ),
    Metric(
        "entries_last_hour",
        f"Entries recorded within the last hour by their status now, counted up to {functions.LIMIT}.",
        lambda look: _by_status(look.last_hour),
    ),
    Metric("due_age", "For how long the oldest due entry has been due; 0 if nothing is due.", _due_age, "seconds"),
    Metric(
        "enabled",
        "1 if events are recorded and sent, 0 if ENABLED is False.",
        lambda look: [Sample({}, look.sending.enabled)],
    ),
    Metric("held", "1 if staff hold sending: all of it, or, with an account, that account's.", _held),
    Metric(
        "paused",
        "1 if the last request for an account and a type of event failed, so that sending pauses or is probed.",
        _of_endpoints(lambda endpoint: not endpoint.is_open()),
    ),
    Metric(
        "consecutive_failures",
        "Requests for an account and a type of event that failed in a row.",
        _of_endpoints(lambda endpoint: endpoint.consecutive_failures),
    ),
    Metric(
        "last_success_timestamp",
        "When Vibetrace last accepted something for an account and a type of event, since 1970 UTC.",
        _of_endpoints(lambda endpoint: None if endpoint.last_success_at is None else endpoint.last_success_at / 1000),
        "seconds",
    ),
)


def as_prometheus(look: Look, database: str) -> str:
    """All metrics in Prometheus's text format, labelled with `database`, and for one account also with `account`."""
    return "\n".join(line for metric in METRICS for line in _lines(metric, look, database))


def _lines(metric: Metric, look: Look, database: str) -> Iterator[str]:
    common = {"database": database, **({} if look.account_id is None else {"account": look.account_id})}
    yield f"# HELP {metric.full_name} {metric.help}"
    yield f"# TYPE {metric.full_name} gauge"
    for labels, value in metric.read(look):
        told = ",".join(f'{name}="{_escaped(text)}"' for name, text in {**common, **labels}.items())
        yield f"{metric.full_name}{{{told}}} {float(value):.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
