"""Whose request it is, and which request this thread or task is serving."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, TypeAlias

from django_vt.identity import NOBODY, Identity, being_served

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    ServingToken: TypeAlias = tuple[Token[HttpRequest | None], Token[Callable[[], Identity]]]

_served: ContextVar[HttpRequest | None] = ContextVar("django_vt_served_request", default=None)


def start_serving(request: HttpRequest) -> ServingToken:
    """The middleware's: this thread or task serves the request from now on."""
    return _served.set(request), being_served.set(lambda: of_request(request))


def stop_serving(token: ServingToken) -> None:
    """The middleware's: it has served it."""
    request, whose = token
    _served.reset(request)
    being_served.reset(whose)


def current_request() -> HttpRequest | None:
    """The request that this thread or task is serving; None outside a request, or where no middleware has seen it."""
    return _served.get()


def of_request(request: HttpRequest | None) -> Identity:
    """The identity of a request's visitor; also for a request that the middleware has not seen."""
    if request is None:
        return NOBODY
    known = getattr(request, "vt_identity", None)
    if isinstance(known, Identity):
        return known
    return Identity.from_cookies(getattr(request, "COOKIES", {}))
