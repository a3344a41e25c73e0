"""The functions of the project's that the settings name: sync or async, each is called in one way."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from concurrent import futures
from contextlib import suppress
from typing import Any

from asgiref.sync import async_to_sync
from django.utils.module_loading import import_string


def ask(path: str, *arguments: object) -> Any:
    """What the function at a dotted path answers. An async one is heard to its end: a coroutine would count as a yes.

    Raises what the function raises. asyncio's `CancelledError`, which is no `Exception` and would end the checkout, is
    raised as that of `concurrent.futures`, which is one.
    """
    try:
        answer = import_string(path)(*arguments)
        return async_to_sync(_heard_out)(answer) if inspect.isawaitable(answer) else answer
    except asyncio.CancelledError:
        raise futures.CancelledError from None


async def _heard_out(answer: Awaitable[Any]) -> Any:
    """The answer, also where the shopper has closed the page meanwhile, for which Django cancels the view.

    The order may be committed by then: cancelled with its view, the event would be lost without a word.
    """
    asked = asyncio.ensure_future(answer)
    while not asked.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([asked])
    return asked.result()
