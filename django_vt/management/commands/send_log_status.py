"""`manage.py send_log_status`: the state of the send log, for people and for monitoring."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from django_vt.management import arguments, wording
from django_vt.management.base import SendLogCommand
from django_vt.models import Endpoint, Status, functions
from django_vt.operations import metrics
from django_vt.operations.figures import Figures, strangers
from django_vt.operations.sending_state import SendingState
from django_vt.protocol import reasons

NO_WORKER = (
    "Nothing keeps it from being sent, so nobody sends it: run `manage.py send_pending`, and see that cron, the worker "
    "or the web processes that DISPATCHER relies on are running."
)


class Command(SendLogCommand):
    """Only reads."""

    help = (
        "Prints how many entries of the send log are pending, sent, failed and skipped, since when something has been "
        "due, how the endpoints stand, and the most frequent reasons. With --max-age it exits with 1 while something "
        "has been due for longer, and says what to do."
    )
    requires_system_checks = ()  # monitoring needs an answer even if settings are wrong

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--format",
            choices=FORMATS,
            default="text",
            help="text for people, json with lengths of time in seconds, or prometheus for its textfile collector.",
        )
        parser.add_argument(
            "--max-age", metavar="AGE", help="Exit with 1 if something has been due for longer: 90s, 15m, 2h, 1d."
        )

        arguments.add_account(parser, "How things stand with this account only, as far as its newest entries tell.")

    def work(self, using: str, options: dict[str, Any]) -> None:
        given = options["max_age"]
        max_age = None if given is None else arguments.duration("--max-age", given)
        account_id = arguments.recorded_account(options["account"], using)
        seen, text = FORMATS[options["format"]](using, account_id)
        self.say(text)
        age = _age(seen)
        if max_age is not None and age is not None and age > max_age:
            obstacles = [*wording.obstacles(seen.sending), *wording.strangers(strangers(using, account_id))]
            what_to_do = obstacles or [NO_WORKER]
            raise CommandError(" ".join([f"Something has been due for {wording.span(age)}.", *what_to_do]))


def _text(using: str, account_id: str | None) -> tuple[Figures, str]:
    figures = Figures.of(using, account_id)
    return figures, "\n".join(_lines(using, figures))


def _json(using: str, account_id: str | None) -> tuple[Figures, str]:
    figures = Figures.of(using, account_id)
    return figures, json.dumps({"database": using, **figures.as_json()}, indent=2)


def _prometheus(using: str, account_id: str | None) -> tuple[metrics.Look, str]:
    look = metrics.Look.at(using, account_id)
    return look, metrics.as_prometheus(look, using)


FORMATS: dict[str, Callable[[str, str | None], tuple[Figures | metrics.Look, str]]] = {
    "text": _text,
    "json": _json,
    "prometheus": _prometheus,
}


def _age(seen: Figures | metrics.Look) -> timedelta | None:
    """How long the oldest due entry has been due."""
    return None if seen.due_since is None else seen.sending.now - seen.due_since


def _lines(using: str, figures: Figures) -> Iterator[str]:
    yield f'Send log on the database "{using}"{_of_account(figures)}:'
    for status, number in figures.counts.items():
        yield f"{_counted(number):>12}  {status}"
    age = _age(figures)
    yield "Nothing is due." if age is None else f"The oldest due entry has been due for {wording.span(age)}."
    yield from _sending(figures.sending)
    yield from wording.strangers(figures.strangers)
    if figures.reasons:
        newest = f" (of the newest {figures.read_for_reasons:,} of each)" if _are_many(figures) else ""
        yield f"Most frequent reasons{newest}:"
    for told in figures.reasons:
        yield f"{told.count:>12,}  {told.status}: {reasons.in_english(told.reason)}"


def _of_account(figures: Figures) -> str:
    if figures.account_id is None:
        return ""
    return f", account {figures.account_id}, of the newest {functions.LIMIT:,} entries of each status"


def _counted(number: int) -> str:
    return f"{number:,}" if number <= functions.LIMIT else f"> {functions.LIMIT:,}"


def _are_many(figures: Figures) -> bool:
    """Whether some status has more entries than were read for the reasons."""
    return any(number > figures.read_for_reasons for status, number in figures.counts.items() if status != Status.SENT)


def _sending(sending: SendingState) -> Iterator[str]:
    if not sending.enabled:
        yield wording.SWITCHED_OFF
    if not sending.sends_for_real:
        yield wording.not_for_real(sending)
    if sending.held:
        yield wording.HELD
    yield from wording.held_accounts(sending)
    for endpoint in sending.endpoints:
        state, success = _state(endpoint, sending), _last_success(endpoint, sending)
        yield f"Account {endpoint.account_id}, {endpoint.event_type}: sending {state}; {success}."


def _state(endpoint: Endpoint, sending: SendingState) -> str:
    if not endpoint.is_open():
        return wording.pause(endpoint, sending.now_ms)
    if not sending.enabled:
        return "is switched off"
    return "is held" if sending.held or endpoint.account_id in sending.held_accounts else "is open"


def _last_success(endpoint: Endpoint, sending: SendingState) -> str:
    if endpoint.last_success_moment is None:
        return "nothing has been accepted yet"
    return f"last success {wording.span(sending.now - endpoint.last_success_moment)} ago"
