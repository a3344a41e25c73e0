"""What each API does with whatever its framework gives it for a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from django_vt import atrack, track
from django_vt.signals import order_placed
from tests.support.ordering import confirmation, order


def _track(given: Any) -> None:
    track(confirmation(), request=given)


def _signal(given: Any) -> None:
    order_placed.send(sender=None, request=given, **order())


async def _atrack(given: Any) -> None:
    await atrack(confirmation(), request=given)


async def _asignal(given: Any) -> None:
    await order_placed.asend(sender=None, request=given, **order())


PLACE: dict[str, Callable[[Any], None]] = {"track": _track, "order_placed": _signal}
APLACE: dict[str, Callable[[Any], Awaitable[None]]] = {"track": _atrack, "order_placed": _asignal}
