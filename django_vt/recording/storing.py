"""From a draft to a row, with one retry after a deadlock, a lost connection or a simultaneous insert of one key."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.db import IntegrityError, connections, transaction

from django_vt.models import SendLogEntry, Status
from django_vt.models.db import in_transaction
from django_vt.models.fast_sql import record
from django_vt.protocol.values import showable
from django_vt.recording.database_errors import described, is_unholdable_text, may_pass
from django_vt.recording.shield import is_doomed
from django_vt.recording.telling import tell

logger = logging.getLogger(__name__)

# Columns that may hold more than ASCII. The payload is ASCII.
ANY_TEXT = ("reference", "identity")
# The end of MariaDB's message for error 1366; before it stands the value, which may be any text.
COLUMN = re.compile(r".*\W(\w+)`? at row \d+\W*", re.DOTALL)
LONGEST_END = 400  # characters


def store(draft: Mapping[str, Any], using: str, then: Callable[[SendLogEntry], None]) -> SendLogEntry:
    """Insert the draft, or find the entry that has its key; call `then` with the entry in the same transaction.

    An exhausted lock wait is not retried. If the database cannot encode a text, its column is stored empty.
    """
    try:
        return _attempt(draft, using, then)
    except Exception as error:
        if is_doomed(using) or not may_pass(error):
            raise
    _revive(using)
    return _attempt(draft, using, then, is_second=True)


def _attempt(
    draft: Mapping[str, Any], using: str, then: Callable[[SendLogEntry], None], *, is_second: bool = False
) -> SendLogEntry:
    try:
        with in_transaction(using):
            entry = _find_or_insert(draft, using, is_second=is_second)
            then(entry)
    except Exception as error:
        without = _unholdable(draft, error) if is_unholdable_text(error) else []
        if is_doomed(using) or not without:
            raise
        _say_what_is_given_up(draft, without, error)
        return _attempt({**draft, **dict.fromkeys(without, "")}, using, then, is_second=is_second)
    return entry


def _revive(using: str) -> None:
    # With autocommit off, the order's transaction is open even without an `atomic` block, and closing would lose it.
    if connections[using].get_autocommit():
        connections[using].close_if_unusable_or_obsolete()


def _unholdable(draft: Mapping[str, Any], error: Exception) -> list[str]:
    """The columns to store empty: the one that the database names, otherwise all that hold more than ASCII."""
    filled = [name for name in ANY_TEXT if not draft.get(name, "").isascii()]
    named = COLUMN.fullmatch(str(error)[-LONGEST_END:])
    return [name for name in filled if named and named[1] == name] or filled


def _say_what_is_given_up(draft: Mapping[str, Any], without: list[str], error: Exception) -> None:
    name = f"{draft['event_type']} {showable(draft.get('reference', ''))}".strip()
    what = " and ".join(without)
    words = "%s is recorded without its %s, which the database cannot hold: %s"
    tell(logger, logging.WARNING, words, name, what, described(error))


def _find_or_insert(draft: Mapping[str, Any], using: str, *, is_second: bool) -> SendLogEntry:
    # What another transaction has committed since this one began is seen by a locking read only, where the project has
    # MariaDB's REPEATABLE READ.
    entry = record(draft, using, latest=is_second)
    if entry is not None:
        return entry
    with transaction.atomic(using=using):
        same = SendLogEntry.objects.using(using).filter(dedup_key=draft["dedup_key"])
        found = (same.select_for_update() if is_second else same).first()
        if found is None:
            raise IntegrityError("the entry with this key was deleted meanwhile")
        return _renewed(found, draft)


def _renewed(entry: SendLogEntry, draft: Mapping[str, Any]) -> SendLogEntry:
    """If the earlier entry failed or was skipped, make it pending again with what the repeated event knows."""
    if draft["status"] == Status.PENDING and entry.status in {Status.SKIPPED, Status.FAILED}:
        content = {name: draft[name] for name in ("account_id", "payload", "identity", "email_hash", "reference")}
        if SendLogEntry.objects.using(entry._state.db).filter(pk=entry.pk).renew(**content):
            # Name the alias: a router may send reads to a replica that does not have the change yet.
            entry.refresh_from_db(using=entry._state.db)
    return entry
