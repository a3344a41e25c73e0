"""Recording: insert one row in the caller's transaction and, after its commit, wake the dispatcher.

The row is committed or rolled back with the order. A failure here does not reach the shopper.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar, cast

from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, connections, transaction
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils import timezone

from django_vt import dispatchers
from django_vt.accounts import account_for, decided_by_function
from django_vt.events import CONFIRMATION, AnyEvent, Confirmation, address_in, payload
from django_vt.exceptions import InvalidField
from django_vt.identity import Identity
from django_vt.models import SendLogEntry, Status
from django_vt.models.db import default_alias
from django_vt.protocol import reasons
from django_vt.protocol.addresses import hash_of_address
from django_vt.protocol.values import identifier, is_type, plain, showable
from django_vt.recording import attribution, before_record, door, storing
from django_vt.recording.call import CHECKED, Call, Named, is_plain, is_plain_request
from django_vt.recording.database_errors import described, is_deadlock, is_wait_exhausted
from django_vt.recording.salvage import in_hand, without_what_is_wrong
from django_vt.recording.shield import Shield
from django_vt.recording.telling import tell
from django_vt.visitors.serving import request_in

logger = logging.getLogger(__name__)

R = TypeVar("R")
Draft = dict[str, Any]
"""The columns of a row that is not inserted yet."""

# Without a usable value of one of the first three nothing can be sent; without BEFORE_RECORD's consent nothing is kept.
BEYOND_HELP = frozenset({"order_id", "total", "items", "BEFORE_RECORD"})

recorded = Signal()
"""Sent with `entry` and `request` when an entry was stored, or an earlier one found; `captured_events` listens."""


def track(
    event: AnyEvent,
    *,
    request: HttpRequest | None = None,
    identity: Identity | None = None,
    using: str | None = None,
    account_id: str | None = None,
) -> SendLogEntry | None:
    """Implementation of `django_vt.track`, documented there."""

    def looks_plain() -> bool:
        return type(event) in CHECKED and is_plain(identity) and is_plain_request(request)

    call = Call(lambda: event, request, lambda: identity, using, account_id, looks_plain=looks_plain)
    return record(call, name=Named(event, using))


async def atrack(
    event: AnyEvent,
    *,
    request: HttpRequest | None = None,
    identity: Identity | None = None,
    using: str | None = None,
    account_id: str | None = None,
) -> SendLogEntry | None:
    """Implementation of `django_vt.atrack`, documented there."""
    return await sync_to_async(track)(event, request=request, identity=identity, using=using, account_id=account_id)


def record(call: Call, *, name: object = None) -> SendLogEntry | None:
    """Record the event that the call makes: the only way into the send log.

    Returns the entry, or None if nothing was recorded. If the shop's code raises, its queries are rolled back to a
    savepoint, and the event is recorded as `skipped`. An error is raised only if it has broken the caller's
    transaction, or if an order would be committed without an entry. `name` is the event's name in the log, by default
    the call's type and reference.
    """
    name = Named(call, call.using) if name is None else name
    level = logging.DEBUG if call.repeats else logging.ERROR
    return door.enter(name, call.using, lambda shield: _Recording(call, name, shield).run(), level=level)


class _Recording:
    """Carries out one call: makes a draft from the shop's values, and a row from the draft."""

    def __init__(self, call: Call, name: object, shield: Shield) -> None:
        self.call = call
        self.name = name
        self.shield = shield
        self.using = call.using or default_alias()
        self.is_plain = call.is_plain()
        self.event: AnyEvent | None = None
        self.given: Mapping[str, Any] | None = None
        self.has_begun = False
        self.is_invalid = False
        self.after: Callable[[], None] = _nothing

    def run(self) -> SendLogEntry | None:
        """Return the entry, stored or found; None if there is nothing to record."""
        try:
            draft = self._on_a_live_connection(self._draft)
        except Exception as error:
            is_lost = not self.call.keeps_what_fails and not isinstance(error, InvalidField)
            if is_lost or self.shield.lets_through():
                raise
            draft = self._skipped(error)
        if draft is None:
            return None
        entry = self._told_before(draft) or self._stored(draft)
        recorded.send(sender=SendLogEntry, entry=entry, request=self.call.request)
        return entry

    def _on_a_live_connection(self, function: Callable[[], R]) -> R:
        """Retry if a persistent connection turns out to be dead, unless the shop's code has begun: that runs once."""
        try:
            return function()
        except (OperationalError, InterfaceError):
            connection = connections[self.using]
            is_first = connection.get_autocommit() and not self.has_begun
            if not is_first or connection.connection is None or connection.is_usable():
                raise
            connection.close()
            return function()

    def _shops_code(self) -> AbstractContextManager[object]:
        return nullcontext() if self.is_plain else door.savepoints(self.using)

    def _draft(self) -> Draft | None:
        with self._shops_code():
            self.has_begun = not self.is_plain
            made = self.call.make()
            if type(made) is dict or (isinstance(made, Mapping) and not hasattr(made, "body")):
                self.given = in_hand(made)
                made = Confirmation(**self.given)
            if made is None:
                return None
            identity = self.call.identity()
            self.event = event = cast("AnyEvent", made)
            return self._draft_of(event, identity)

    def _draft_of(self, event: AnyEvent, given: Identity | None, *, is_rest: bool = False) -> Draft | None:
        request, using = self.call.request, self.using
        account_of = (lambda _event: self._account_id_of_what_is_invalid()) if is_rest else self._account_id
        whose = attribution.identify(event, request, given, using, account_of(event))
        wanted = before_record.ask(event, whose.identity, request, using=using, name=self.name, shield=self.shield)
        if wanted is None:
            return None
        if wanted is not event:
            whose = attribution.identify(wanted, request, given, using, account_of(wanted))
        self.after = whose.forget_remembered
        return draft_of(wanted, whose.identity, whose.account_id)

    def _account_id(self, event: AnyEvent | None) -> str:
        # The shop's function may query and fail; so may `get_host` of a request class of the shop's.
        with door.savepoints(self.using) if decided_by_function() else self._shops_code():
            given = self.call.account_id
            return account_for(event, request_in(self.call.request), given() if callable(given) else given)

    def _account_id_of_what_is_invalid(self) -> str:
        try:
            return self._account_id(None)
        except Exception:
            if self.shield.lets_through():
                raise
            return ""

    def _skipped(self, error: Exception) -> Draft | None:
        """The draft of an event that cannot be sent: the reason, and those of its values that can be used."""
        why = error.field if isinstance(error, InvalidField) else type(error).__name__
        # No deduplication key: a later signal with the mistake corrected must make an entry of its own.
        reason = reasons.reason(reasons.INVALID, why)
        skipped = {"status": Status.SKIPPED, "reason": reason, "due_at": None, "dedup_key": None}
        self.is_invalid = True
        if self.given is not None and isinstance(error, InvalidField) and error.field not in BEYOND_HELP:
            try:
                draft = self._draft_of_the_rest(self.given)
            except Exception:
                if self.shield.lets_through():
                    raise
            else:
                self._say(error)
                return draft and {**draft, **skipped}
        event_type, reference = self._told()
        self._say(error)
        return _draft(self._account_id_of_what_is_invalid(), event_type, **{**skipped, "reference": reference})

    def _draft_of_the_rest(self, given: Mapping[str, Any]) -> Draft | None:
        with self._shops_code():
            try:
                identity = self.call.identity()
            except InvalidField:
                identity = None
            draft = self._draft_of(without_what_is_wrong(given), identity, is_rest=True)
        # Keep the remembered identity for a later signal with the mistake corrected.
        self.after = _nothing
        return draft

    def _told(self) -> tuple[str, str]:
        """The type and the reference, as far as they can be read."""
        if self.event is not None:
            try:
                return self._told_by_the_event(self.event)
            except Exception:
                # An adapter has said what it is, though the event can't.
                if self.shield.lets_through() or not self.call.event_type:
                    raise
        try:
            with self._shops_code():
                return plain(self.call.event_type), showable(self.call.reference)
        except Exception:
            if self.shield.lets_through():
                raise
            return plain(self.call.event_type), ""

    def _told_by_the_event(self, event: AnyEvent) -> tuple[str, str]:
        with self._shops_code():
            event_type, reference = plain(event.type), showable(event.reference)
            if not is_type(event_type):
                raise InvalidField("type", "cannot stand in the vendor's address")
            return event_type, reference

    def _told_before(self, draft: Draft) -> SendLogEntry | None:
        """The earlier entry of the same order with the same mistake, if any: one entry is enough."""
        if not self.is_invalid or not draft["reference"]:
            return None
        same = {name: draft[name] for name in ("account_id", "event_type", "reference", "status", "reason")}
        with transaction.atomic(using=self.using):
            return SendLogEntry.objects.using(self.using).filter(**same).first()

    def _say(self, error: Exception) -> None:
        if self.event is not None:
            why = str(error) if isinstance(error, InvalidField) else described(error)
            tell(logger, logging.ERROR, "%s cannot be sent: %s", str(self.name), why)
            return
        level = logging.DEBUG if self.call.repeats else logging.WARNING
        # Log the text, not the error: its traceback would keep the values alive in handlers that keep log records.
        why = str(error) if isinstance(error, InvalidField) else f"its construction raised {described(error)}"
        tell(logger, level, "An event cannot be sent: %s", why)

    def _stored(self, draft: Draft) -> SendLogEntry:
        try:
            return storing.store(draft, self.using, self._then)
        except Exception as error:
            is_order = draft["event_type"] == CONFIRMATION
            if is_order and _is_in_transaction(self.using) and (is_wait_exhausted(error) or is_deadlock(error)):
                # Another transaction holds this order's key, and may still roll back: the order would have no entry.
                self.shield.open()
            raise

    def _then(self, entry: SendLogEntry) -> None:
        self.after()
        if entry.status == Status.PENDING:
            wake_after_commit(self.using)


def _nothing() -> None:
    """There is no remembered identity to forget."""


def _is_in_transaction(using: str) -> bool:
    return not connections[using].get_autocommit()


def wake_after_commit(using: str) -> None:
    """Wake the dispatcher once the open transaction is committed. If a wake is lost, the entry is still sent, later."""
    # A def or lambda: Django 5.2 and 6.0 raise on a functools.partial here when they log its failure.
    transaction.on_commit(lambda: dispatchers.wake(using), using=using, robust=True)


def draft_of(event: AnyEvent, identity: Identity, account_id: str) -> Draft:
    """The row of an event that goes out under the identity."""
    event_type, reference, key = _names(event)
    status, reason = Status.PENDING, ""
    if not identity:
        status, reason = Status.SKIPPED, reasons.reason(reasons.NOBODY)
    elif not account_id:
        status, reason = Status.SKIPPED, reasons.reason(reasons.INVALID, "ACCOUNT_ID")
    return _draft(
        account_id,
        event_type,
        status=status,
        reason=reason,
        payload=payload(event, identity),
        identity=identity.stored_form,
        email_hash=hash_of_address(address_in(event) or identity.email),
        reference=reference,
        dedup_key=dedup_key(account_id, event_type, key),
    )


def _names(event: AnyEvent) -> tuple[str, str, str | None]:
    """Type, reference and key, in their plain forms: of a member of an Enum of strings a driver may store "Kind.QUOTE".

    Refused is what the vendor's address or a column could not hold: a class of the shop's own may give anything. The
    database would refuse it too, and PostgreSQL write the row, with whose event it is, into its log.
    """
    if type(event) in CHECKED:
        return event.type, event.reference, event.dedup_key
    event_type, reference, key = map(plain, (event.type, event.reference, event.dedup_key))
    if not is_type(event_type):
        raise InvalidField("type", "cannot stand in the vendor's address")
    for name, value, absent in (("reference", reference, ""), ("dedup_key", key, None)):
        if value != absent and not isinstance(value, str):
            raise InvalidField(name, "must be a string")
        if value != absent:
            identifier(name, value)
    return event_type, reference, key


def _draft(account_id: str, event_type: str, **columns: Any) -> Draft:
    now = timezone.now()
    due_at = 0 if columns["status"] == Status.PENDING else None
    return {"account_id": account_id, "event_type": event_type, "created_at": now, "due_at": due_at, **columns}


def dedup_key(account_id: str, event_type: str, key: str | None) -> str | None:
    """The value stored for an event's `dedup_key`: a hash, because MariaDB's unique keys ignore case and accents."""
    if key is None:
        return None
    return hashlib.sha256("\0".join((account_id, event_type, key)).encode()).hexdigest()
