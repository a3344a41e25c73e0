"""A month of a small shop's send log, the same in every run: what the pages are looked at with."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django_vt.conf import settings
from django_vt.events import AnyEvent, Confirmation, Event, Item, Login, payload
from django_vt.identity import Identity
from django_vt.models import Endpoint, SendAttempt, SendLogEntry
from django_vt.models.functions import milliseconds
from django_vt.protocol.addresses import hash_of_address

NAMES = ("ada", "ben.okafor", "chiara", "dmitri", "elena.popescu", "femi", "grace", "henrik", "ioana", "jonas")
TEAS = ("EARLGREY-100", "JASMINE-50", "DARJEELING-FF-75", "LAPSANG-100", "MINT-60", "CHAMOMILE-60")
REJECTED, DOWN = "answered: 400", "answered: 503"
PIXEL = Identity(user_id="8139618027113397", session_id="253412802711339765")
FIRST_ORDER = 100_023
LONG_AGO = timedelta(hours=36)  # when all attempts of RETRY_DELAYS are over


def fill(now: datetime, days: int = 29) -> dict[str, SendLogEntry]:
    """So many days and the hours until now; gives the newest entry of each status."""
    SendLogEntry.objects.bulk_create([*_past_days(now, days), *_last_hours(now)])
    _endpoint(now - timedelta(minutes=4))
    for entry in SendLogEntry.objects.filter(attempts__gt=0):
        _note_attempts(entry)
    newest = SendLogEntry.objects.order_by("-created_at")
    return {status: newest.filter(status=status)[0] for status in SendLogEntry.Status.values}


def first_order(now: datetime) -> SendLogEntry:
    """The log of a shop that has just sent its first order."""
    _endpoint(now)
    entry = _entry(_order(FIRST_ORDER, "buyer@example.com"), now - timedelta(minutes=2), email="buyer@example.com")
    entry.save()
    return entry


def _endpoint(last_success: datetime) -> None:
    Endpoint.objects.create(
        account_id=settings.ACCOUNT_ID, event_type="confirmation", address=settings.ENDPOINT,
        last_success_at=milliseconds(last_success),
    )  # fmt: skip


def break_the_vendor(now: datetime) -> None:
    """The vendor is down since a while: two orders wait, and sending is paused."""
    Endpoint.objects.exclude(event_type="").update(
        consecutive_failures=6, paused_until=milliseconds(now + timedelta(minutes=3)), reason=DOWN,
        last_success_at=milliseconds(now - timedelta(minutes=11)),
    )  # fmt: skip
    SendLogEntry.objects.filter(status="pending").update(reason=DOWN, response_status=503)


def _past_days(now: datetime, days: int) -> Iterator[SendLogEntry]:
    chance = random.Random(5)
    for day in range(days, 0, -1):
        for _ in range(chance.randint(14, 30)):
            at = now - timedelta(days=day - 1, hours=chance.triangular(0, 24, 14))
            name = chance.choice(NAMES)
            number = FIRST_ORDER + 900 - day * 30 + chance.randint(0, 29)
            event: AnyEvent = chance.choice([_order(number, f"{name}@example.com"), _login(name)])
            yield _entry(event, at, email=f"{name}@example.com", **_fate(chance, at < now - LONG_AGO))


def _fate(chance: random.Random, is_old: bool) -> dict[str, Any]:
    fates: list[dict[str, Any]] = [
        {},
        {"status": "failed", "reason": REJECTED, "response_status": 400, "attempts": 1},
        {"status": "failed", "reason": "timed out", "attempts": 8} if is_old else {},
        {"status": "skipped", "reason": "nobody", "identity": "", "email_hash": ""},
        {"status": "skipped", "reason": "expired"},
    ]
    return chance.choices(fates, weights=(90, 3, 2, 4, 1))[0]


def _last_hours(now: datetime) -> Iterator[SendLogEntry]:
    def at(minutes: float) -> datetime:
        return now - timedelta(minutes=minutes)

    number = FIRST_ORDER + 900
    yield _entry(_order(number, "ioana@example.com"), at(321), email="ioana@example.com")
    yield _entry(_login("henrik"), at(304), email="henrik@example.com")
    yield _entry(
        _order(number + 1, "ben.okafor@example.com"), at(241), email="ben.okafor@example.com",
        status="failed", reason=REJECTED, response_status=400, attempts=1,
    )  # fmt: skip
    yield _entry(
        _order(number + 2, "grace@example.com"), at(187), email="grace@example.com",
        status="failed", reason=REJECTED, response_status=400, attempts=1,
    )  # fmt: skip
    yield _entry(
        Event("wishlist", {"productId": TEAS[1]}), at(163), email="",
        status="skipped", reason="nobody", identity="", email_hash="",
    )  # fmt: skip
    yield _entry(_order(number + 3, "chiara@example.com"), at(121), email="chiara@example.com", identity=PIXEL)
    yield _entry(
        _order(number + 4, "femi@example.com"), at(96), email="femi@example.com",
        status="failed", reason="answered: 409", response_status=409, attempts=1,
    )  # fmt: skip
    yield _entry(
        _order(number + 5, "jonas@example.com"), at(74), email="jonas@example.com",
        status="skipped", reason="invalid: items[0].quantity", payload="", identity="", email_hash="",
    )  # fmt: skip
    yield _entry(_login("elena.popescu"), at(52), email="elena.popescu@example.com")
    yield _entry(_order(number + 6, "elena.popescu@example.com"), at(47), email="elena.popescu@example.com")
    yield _entry(_order(number + 7, "ada@example.com"), at(31), email="ada@example.com", identity=PIXEL)
    yield _entry(_login("ada"), at(12), email="ada@example.com")
    yield _entry(
        _order(number + 8, "ada@example.com"), at(9), email="ada@example.com", identity=PIXEL,
        status="pending", due_at=milliseconds(now + timedelta(minutes=4)), attempts=2, reason=DOWN, response_status=503,
    )  # fmt: skip
    yield _entry(
        _order(number + 9, "dmitri@example.com"), at(0.5), email="dmitri@example.com", status="pending", due_at=0
    )


def _entry(
    event: AnyEvent, at: datetime, *, email: str, identity: Identity | str | None = None, **columns: Any
) -> SendLogEntry:
    named = identity if isinstance(identity, Identity) else Identity(email=email or "nobody@example.com")
    status = columns.setdefault("status", "sent")
    defaults = {
        "account_id": settings.ACCOUNT_ID,
        "event_type": event.type,
        "payload": payload(event, named),
        "identity": named.stored_form if identity != "" else "",
        "email_hash": hash_of_address(email) if email else "",
        "reference": event.reference,
        "created_at": at,
        "due_at": None,
        "sent_at": at + timedelta(seconds=1) if status == "sent" else None,
        "response_status": 200 if status == "sent" else None,
    }
    return SendLogEntry(**{**defaults, **columns})


def _order(number: int, email: str) -> Confirmation:
    chance = random.Random(number)
    items = [Item(tea, chance.randint(1, 3)) for tea in chance.sample(TEAS, chance.randint(1, 2))]
    return Confirmation(str(number), f"{chance.randint(9, 60)}.{chance.choice((50, 90))}", items, email=email)


def _login(name: str) -> Login:
    return Login(f"{name}@example.com", "website")


def _note_attempts(entry: SendLogEntry) -> None:
    """One after the other, at the intervals of RETRY_DELAYS."""
    at = entry.created_at + timedelta(seconds=2)
    for delay in (*settings.RETRY_DELAYS, 0)[: entry.attempts]:
        SendAttempt.objects.create(entry=entry, at=at, response_status=entry.response_status, reason=entry.reason)
        at += timedelta(seconds=delay)
