"""Which database the send log is on."""

from __future__ import annotations

from django.db import DEFAULT_DB_ALIAS, router


def default_alias() -> str:
    """The alias to use where the caller names none: where the project's routers write the send log."""
    from django_vt.models import SendLogEntry

    return router.db_for_write(SendLogEntry) or DEFAULT_DB_ALIAS
