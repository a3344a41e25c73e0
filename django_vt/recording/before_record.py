"""BEFORE_RECORD: the project's word on each event, before anything of it is stored."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpRequest
from django.utils.module_loading import import_string

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
    """What BEFORE_RECORD makes of the event; None where it drops it.

    If it raises, consent is not known: the event is dropped, and the log says so under its `name`. An async one that
    ends as cancelled counts as that: asyncio's error is no `Exception`, and would end the checkout. If it returns
    neither an event nor None, that raises an `InvalidField` that names BEFORE_RECORD.
    """
    if settings.BEFORE_RECORD is None:
        return event
    try:
        with savepoints(using):
            answer = import_string(settings.BEFORE_RECORD)(event, identity, request)
            if inspect.isawaitable(answer):
                answer = async_to_sync(_awaited)(answer)
            is_event = callable(getattr(answer, "body", None))
    except (Exception, asyncio.CancelledError) as error:
        if shield.lets_through():
            raise
        tell(logger, logging.ERROR, "BEFORE_RECORD raised %s: %s is dropped", type(error).__name__, str(name))
        return None
    if answer is not None and not is_event:
        raise InvalidField("BEFORE_RECORD", f"returned a {type(answer).__name__}, neither an event nor None")
    wanted: AnyEvent | None = answer
    return wanted


async def _awaited(answer: Awaitable[Any]) -> Any:
    """The answer, also where the shopper has closed the page meanwhile, for which Django cancels the view.

    The order may be committed by then: cancelled with its view, the event would be lost without a word.
    """
    asked = asyncio.ensure_future(answer)
    while not asked.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([asked])
    return asked.result()
