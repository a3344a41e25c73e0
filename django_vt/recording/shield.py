"""The shop comes first: what goes wrong in this app is told to the log, and not to the shopper."""

from __future__ import annotations

import logging
from types import TracebackType

from django.db import connections

from django_vt.conf import settings
from django_vt.models.db import default_alias

# The name that the documentation gives: all failures to record are found under one.
logger = logging.getLogger("django_vt.recording")


class Shield:
    """Logs what goes wrong in its block, by its class only, unless FAIL_SILENTLY is off.

    What has doomed the caller's transaction is raised: swallowed, it would surface later and elsewhere, or never, and
    nothing of the transaction would be kept.
    """

    def __init__(self, what: object, using: str | None = None) -> None:
        self._what = what  # shown by its `str`, and only when it comes to that
        self._using = using

    def __enter__(self) -> None:
        self._doomed_before = is_doomed(self._using)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception) or not settings.FAIL_SILENTLY or self._has_doomed():
            return False
        # Neither the text nor the traceback: both can hold a shopper's address.
        logger.error("Could not record %s: %s", str(self._what), type(error).__name__)
        return True

    def _has_doomed(self) -> bool:
        # Whatever the error's class: a project's code may have made it out of the database's.
        return not self._doomed_before and is_doomed(self._using)


def is_doomed(using: str | None) -> bool:
    """Whether an open transaction on that database can only be rolled back."""
    try:
        connection = connections[using or default_alias()]
    except Exception:  # noqa: BLE001 - an unknown alias is told by what comes next
        return False
    # Not only in an `atomic` block: a project may have set autocommit off.
    return connection.needs_rollback
