"""Recording: one row in the caller's transaction; after its commit, a wake for the dispatcher.

The row is rolled back with the order and kept with it. Nothing that fails here reaches the shopper.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.db import DatabaseError, IntegrityError, OperationalError, connections, transaction
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils import timezone
from django.utils.module_loading import import_string

from django_vt import dispatchers
from django_vt.conf import settings
from django_vt.events import AnyEvent, Confirmation, Event, Login, address_in, payload
from django_vt.exceptions import InvalidField
from django_vt.identity import Identity
from django_vt.models import SendLogEntry, Status
from django_vt.models.db import default_alias, in_transaction
from django_vt.models.fast_sql import record
from django_vt.protocol import reasons
from django_vt.protocol.addresses import hash_of_address
from django_vt.protocol.values import identifier, is_type, showable
from django_vt.recording import attribution, event_loop
from django_vt.recording.shield import Shield, is_doomed

logger = logging.getLogger(__name__)

# Their constructors have checked all that is theirs; a subclass may give anything.
CHECKED = frozenset({Confirmation, Login, Event})

recorded = Signal()
"""Sent with `entry` when one was stored or found again; `django_vt.testing.captured_events` listens."""


def track(
    event: AnyEvent,
    *,
    request: HttpRequest | None = None,
    identity: Identity | None = None,
    using: str | None = None,
) -> SendLogEntry | None:
    """What `django_vt.track` does, and says that it does."""
    if not settings.ENABLED:
        return None
    if event_loop.runs_here():
        return event_loop.in_thread(track, event, request=request, identity=identity, using=using)
    with Shield(_Named(event), using):
        return _track(event, request, identity, using or default_alias())
    return None


async def atrack(
    event: AnyEvent,
    *,
    request: HttpRequest | None = None,
    identity: Identity | None = None,
    using: str | None = None,
) -> SendLogEntry | None:
    """What `django_vt.atrack` does."""
    return await sync_to_async(track)(event, request=request, identity=identity, using=using)


def record_invalid(event_type: str, reference: object, reason: str, *, using: str | None = None) -> SendLogEntry | None:
    """Record as `skipped`, without a payload, something that could not become an event. Raises what `track` raises."""
    if not settings.ENABLED:
        return None
    if event_loop.runs_here():
        return event_loop.in_thread(record_invalid, event_type, reference, reason, using=using)
    shown = showable(reference)
    with Shield(f"{event_type} {shown}".strip(), using):
        return _tell(_store_skipped(event_type, shown, reason, using or default_alias()))
    return None


def problem(error: Exception) -> str:
    """The reason to record for what could not become an event: where the problem is, never what was there."""
    if isinstance(error, InvalidField):
        # Its text, not itself: with its traceback it would keep the values alive in whatever keeps log records.
        logger.warning("An event cannot be sent: %s", str(error))
        return reasons.reason(reasons.INVALID, error.field)
    logger.warning("An event cannot be sent: its construction raised %s", type(error).__name__)
    return reasons.reason(reasons.INVALID, type(error).__name__)


def wake_after_commit(using: str) -> None:
    """Tell the dispatcher, once the open transaction is committed, that something is due. A lost wake loses nothing."""
    # A def or lambda: Django 5.2 and 6.0 raise on a functools.partial here when they log its failure.
    transaction.on_commit(lambda: dispatchers.wake(using), using=using, robust=True)


def _track(event: AnyEvent, request: HttpRequest | None, identity: Identity | None, using: str) -> SendLogEntry | None:
    try:
        entry = _record(event, request, identity, using)
    except (IntegrityError, OperationalError):
        # Somebody recorded the same event between our look and our INSERT; or this was the victim of a deadlock, or
        # had lost its connection. Where the order's transaction is whole, there is a second chance.
        if is_doomed(using):
            raise
        entry = _record_on_a_live_connection(event, request, identity, using)
    except DatabaseError:
        raise
    except Exception as error:
        if not settings.FAIL_SILENTLY or not is_type(event.type) or is_doomed(using):
            raise
        # A request that is none, a class of the shop's own that JSON has no form for: recorded, to be seen.
        why = error.field if isinstance(error, InvalidField) else type(error).__name__
        entry = _store_skipped(event.type, showable(event.reference), reasons.reason(reasons.INVALID, why), using)
        logger.error("%s cannot be sent: %s", str(_Named(event)), why)
    return entry and _tell(entry)


def _record_on_a_live_connection(
    event: AnyEvent, request: HttpRequest | None, identity: Identity | None, using: str
) -> SendLogEntry | None:
    # Without autocommit the order's transaction is open, in an `atomic` block or not: it would be lost.
    if connections[using].get_autocommit():
        connections[using].close_if_unusable_or_obsolete()
    return _record(event, request, identity, using)


def _store_skipped(event_type: str, reference: str, reason: str, using: str) -> SendLogEntry:
    # Without a deduplication key: a later signal with the mistake mended is an event of its own.
    draft = _draft(settings.account_id, event_type, status=Status.SKIPPED, reason=reason, reference=reference)
    with in_transaction(using):
        return _find_or_insert(draft, using)


def _record(event: AnyEvent, request: HttpRequest | None, identity: Identity | None, using: str) -> SendLogEntry | None:
    with in_transaction(using):
        whose = attribution.identify(event, request, identity, using)
        wanted = _before_record(event, whose.identity, request, using)
        if wanted is None:
            return None
        if wanted is not event:
            whose = attribution.identify(wanted, request, identity, using)
        entry = _find_or_insert(_draft_of(wanted, whose.identity), using)
        whose.forget_remembered()
        if entry.status == Status.PENDING:
            wake_after_commit(using)
    return entry


def _before_record(event: AnyEvent, identity: Identity, request: HttpRequest | None, using: str) -> AnyEvent | None:
    """What BEFORE_RECORD makes of the event. Where it raises, consent is not known: the event is dropped.

    Where it has cost the transaction, that is raised: nobody would learn of it else.
    """
    if settings.BEFORE_RECORD is None:
        return event
    try:
        with transaction.atomic(using=using):  # it may query, and fail
            wanted: AnyEvent | None = import_string(settings.BEFORE_RECORD)(event, identity, request)
    except Exception as error:
        if not settings.FAIL_SILENTLY or is_doomed(using):
            raise
        logger.error("BEFORE_RECORD raised %s: %s is dropped", type(error).__name__, str(_Named(event)))
        return None
    return wanted


def _draft_of(event: AnyEvent, identity: Identity) -> dict[str, Any]:
    _check(event)
    account_id, status, reason = settings.account_id, Status.PENDING, ""
    if not identity:
        status, reason = Status.SKIPPED, reasons.reason(reasons.NOBODY)
    elif not account_id:
        status, reason = Status.SKIPPED, reasons.reason(reasons.INVALID, "ACCOUNT_ID")
    return _draft(
        account_id,
        event.type,
        status=status,
        reason=reason,
        payload=payload(event, identity),
        identity=identity.stored_form,
        email_hash=hash_of_address(address_in(event) or identity.email),
        reference=event.reference,
        dedup_key=dedup_key(account_id, event.type, event.dedup_key),
    )


def _check(event: AnyEvent) -> None:
    """Refuse what the vendor's address or a column could not hold: a class of the shop's own may give anything.

    The database would refuse it too, and PostgreSQL write the row, with whose event it is, into its log.
    """
    if type(event) in CHECKED:
        return
    if not is_type(event.type):
        raise InvalidField("type", "cannot stand in the vendor's address")
    for name, value, absent in (("reference", event.reference, ""), ("dedup_key", event.dedup_key, None)):
        if value != absent and not isinstance(value, str):
            raise InvalidField(name, "must be a string")
        if value != absent:
            identifier(name, value)


def _draft(account_id: str, event_type: str, **columns: Any) -> dict[str, Any]:
    now = timezone.now()
    due_at = 0 if columns["status"] == Status.PENDING else None
    return {"account_id": account_id, "event_type": event_type, "created_at": now, "due_at": due_at, **columns}


def dedup_key(account_id: str, event_type: str, key: str | None) -> str | None:
    """The column's form of an event's `dedup_key`: a hash, as MariaDB's unique keys ignore case and accents."""
    if key is None:
        return None
    return hashlib.sha256("\0".join((account_id, event_type, key)).encode()).hexdigest()


def _find_or_insert(draft: dict[str, Any], using: str) -> SendLogEntry:
    entry = record(draft, using)
    if entry is not None:
        return entry
    with transaction.atomic(using=using):
        found = SendLogEntry.objects.using(using).filter(dedup_key=draft["dedup_key"]).first()
        if found is None:
            raise IntegrityError("the entry with this key was deleted meanwhile")
        return _renewed(found, draft)


def _renewed(entry: SendLogEntry, draft: dict[str, Any]) -> SendLogEntry:
    """A repeated event gives one that was not sent another chance, with what is known by now."""
    if draft["status"] == Status.PENDING and entry.status in {Status.SKIPPED, Status.FAILED}:
        content = {name: draft[name] for name in ("account_id", "payload", "identity", "email_hash", "reference")}
        if SendLogEntry.objects.using(entry._state.db).filter(pk=entry.pk).renew(**content):
            # Named: a router may send reads to a replica, which has not heard of it yet.
            entry.refresh_from_db(using=entry._state.db)
    return entry


def _tell(entry: SendLogEntry) -> SendLogEntry:
    recorded.send(sender=SendLogEntry, entry=entry)
    return entry


class _Named:
    """What the log calls an event, whatever the shop has passed for one; worked out only where something is logged."""

    def __init__(self, event: object) -> None:
        self._event = event

    def __str__(self) -> str:
        return " ".join(filter(None, map(self._shown, ("type", "reference")))) or "an event"

    def _shown(self, name: str) -> str:
        try:
            return showable(getattr(self._event, name, None))
        except Exception:  # noqa: BLE001 - a property of the shop's own, and what it raises would reach the shopper
            return ""
