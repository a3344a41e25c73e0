"""`manage.py send_test_event`: check account, network and vendor on the first day in production."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from django_vt.accounts import known_accounts, only_account
from django_vt.conf import DEFAULTS, settings
from django_vt.delivery.deliver import send_unrecorded
from django_vt.events import Event, payload
from django_vt.exceptions import InvalidField
from django_vt.identity import Identity
from django_vt.management import advice, arguments, wording
from django_vt.management.arguments import WrongArgument
from django_vt.management.base import SendLogCommand
from django_vt.operations.sending_state import SendingState
from django_vt.protocol import reasons
from django_vt.protocol.outcome import Kind, Verdict, judge

EVENT_TYPE = "django_vt_test"


class Command(SendLogCommand):
    """Bypasses the send log, so that a failed test neither pauses the shop's sending nor is tried again."""

    help = (
        f"Sends one harmless event of the type {EVENT_TYPE} to the configured account, or to one of them, now, and "
        "says what came back and what to do about it. It goes by a random _vtsid, or by the address given. It is not "
        "recorded in the send log, and disregards a pause and a hold. Exits with 1 unless it is accepted and the "
        "shop's own can follow."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--email",
            metavar="ADDRESS",
            help="The event is this person's, whom Vibetrace must know; - reads the address from standard input.",
        )

        parser.add_argument("--account", metavar="ID", help="To this account; needed where there are several.")

    def work(self, using: str, options: dict[str, Any]) -> None:
        identity = _identity(arguments.address("--email", options["email"]))
        if not settings.ENABLED:
            raise CommandError(wording.SWITCHED_OFF)
        account_id = arguments.account(options["account"]) or _only_account()
        self.say("\n".join(_announcement(account_id, identity)))
        begun = time.monotonic()
        result = send_unrecorded(account_id, EVENT_TYPE, payload(Event(EVENT_TYPE), identity))
        verdict = judge(result, timezone.now())
        self._tell(verdict, time.monotonic() - begun)
        self._tell_obstacles(using, account_id)

    def _tell(self, verdict: Verdict, seconds: float) -> None:
        text = f"{_answer(verdict)}, after {seconds:.2f} s. {advice.on(verdict)}"
        if verdict.kind is not Kind.ACCEPTED:
            raise CommandError(text)
        self.say(text)

    def _tell_obstacles(self, using: str, account_id: str) -> None:
        obstacles = list(wording.obstacles(SendingState.seen_on(using, account_id)))
        if obstacles:
            raise CommandError(" ".join(["The shop's own events do not follow yet.", *obstacles]))


def _only_account() -> str:
    found = only_account()
    if not found and known_accounts() == ():
        raise CommandError('DJANGO_VT["ACCOUNT_ID"] is missing, or cannot stand in an address. Nothing was sent.')
    if not found:
        raise WrongArgument("--account", f"is needed; {arguments.known_in_words()}")
    return found


def _identity(address: str | None) -> Identity:
    if address is None:
        return Identity(vtsid=f"django-vt-test-{secrets.token_hex(8)}")
    try:
        identity = Identity(email=address)
    except InvalidField as error:
        raise WrongArgument("--email", error.problem) from None
    if "@" not in identity.email:
        raise WrongArgument("--email", "must be an e-mail address")
    return identity


def _announcement(account_id: str, identity: Identity) -> Iterator[str]:
    body = Event(EVENT_TYPE).body(identity)
    if identity.email:
        body["email"] = f"{identity.email[:1]}***@***"
    yield f"Sending to {settings.ENDPOINT.rstrip('/')}/{account_id}/{EVENT_TYPE}:"
    yield f"  {json.dumps(body)}"
    if DEFAULTS["BACKEND"] != settings.BACKEND:
        yield f"It goes through {settings.BACKEND}: whether that reaches Vibetrace, its answer does not tell."


def _answer(verdict: Verdict) -> str:
    reason = verdict.reason or reasons.reason(reasons.ANSWERED, verdict.response_status)
    asks = f" and asks for {verdict.retry_after:.0f} s of rest" if verdict.retry_after else ""
    return reasons.in_english(reason) + asks
