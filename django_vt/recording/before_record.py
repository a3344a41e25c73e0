"""BEFORE_RECORD: the project's hook that may change or drop an event before anything of it is stored."""

from __future__ import annotations

import logging

from django.http import HttpRequest

from django_vt import hooks
from django_vt.conf import settings
from django_vt.events import AnyEvent
from django_vt.exceptions import InvalidField
from django_vt.identity import Identity
from django_vt.recording.door import savepoints
from django_vt.recording.shield import Shield
from django_vt.recording.telling import tell

logger = logging.getLogger(__name__)


def ask(
    event: AnyEvent, identity: Identity, request: HttpRequest | None, *, using: str, name: object, shield: Shield
) -> AnyEvent | None:
    """Call BEFORE_RECORD and return the event that it returns; None if it drops the event.

    If the hook raises, consent is unknown: the event is dropped, and its `name` is logged. Raises `InvalidField`
    "BEFORE_RECORD" if the hook returns neither an event nor None.
    """
    if settings.BEFORE_RECORD is None:
        return event
    try:
        with savepoints(using):
            answer = hooks.ask(settings.BEFORE_RECORD, event, identity, request)
            is_event = callable(getattr(answer, "body", None))
    except Exception as error:
        if shield.lets_through():
            raise
        tell(logger, logging.ERROR, "BEFORE_RECORD raised %s: %s is dropped", type(error).__name__, str(name))
        return None
    if answer is not None and not is_event:
        raise InvalidField("BEFORE_RECORD", f"returned a {type(answer).__name__}, neither an event nor None")
    wanted: AnyEvent | None = answer
    return wanted
