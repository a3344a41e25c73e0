"""For receivers of other packages' signals: what turns their order into an event, without ever raising.

An adapter maps (order → `Confirmation`), connects, and calls `report`. `django_vt.contrib.oscar` is one.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest

from django_vt.conf import settings
from django_vt.events import CONFIRMATION, AnyEvent
from django_vt.identity import Identity
from django_vt.models import SendLogEntry
from django_vt.models.db import default_alias
from django_vt.recording import event_loop, record
from django_vt.recording.shield import Shield, is_doomed


def report(
    make: Callable[[], AnyEvent | None],
    *,
    event_type: str = CONFIRMATION,
    reference: object = "",
    request: HttpRequest | None = None,
    identity: Callable[[], Identity] | None = None,
    using: str | None = None,
) -> SendLogEntry | None:
    """Record the event that `make` returns (None: nothing to report); what `make` cannot use is recorded as `skipped`.

    `make` and `identity` are called in a savepoint: their queries may fail without harm to the caller's transaction.
    `event_type` and `reference` are what the entry shows where there is no event. `request` is the buyer's, where the
    signal has one; `identity` returns whose order it is, where you know better. `using` is the alias of the order's
    database. Returns the entry, or None when nothing was recorded. Raises what `track` raises, and nothing of `make`'s.
    """
    if not settings.ENABLED:
        return None
    if event_loop.runs_here():
        return event_loop.in_thread(
            report, make, event_type=event_type, reference=reference, request=request, identity=identity, using=using
        )
    with Shield(event_type, using):
        try:
            with transaction.atomic(using=using or default_alias()):
                event, whose = make(), identity() if identity else None
        except Exception as error:
            if is_doomed(using):
                raise
            # Whatever the order holds, and whatever its queries met: the savepoint has undone them.
            return record.record_invalid(event_type, reference, record.problem(error), using=using)
        if event is not None:
            return record.track(event, request=request, identity=whose, using=using)
    return None
