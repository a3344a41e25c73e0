"""Whose request it is, and which request this thread or task is serving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, TypeAlias

from django_vt.conf import settings
from django_vt.identity import NOBODY, PIXEL_COOKIE, VTSID_COOKIE, Identity, being_served

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    ServingToken: TypeAlias = tuple[Token[HttpRequest | None], Token[Callable[[], Identity]]]

LEADING = ("request", "_request", "context")
LONGEST_WAY = 5  # steps

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


def of_request(request: object) -> Identity:
    """The identity of a request's visitor; also of one that the middleware has not seen, and of one that is wrapped.

    Nobody's where there is no request in it.
    """
    found = request_in(request)
    if found is None:
        return NOBODY
    known = getattr(found, "vt_identity", None)
    return known if isinstance(known, Identity) else read_identity(found)


def request_in(context: object) -> Any:
    """What has cookies: `context` itself, or what it leads to; None if it leads to nothing of that kind.

    REST framework wraps a request, and so do GraphQL's `info` and its `context`: an object or a dict, by whichever
    server. The outermost that has cookies is taken: its `user` is the one that the framework has found.
    """
    for _step in range(LONGEST_WAY):
        if context is None or isinstance(getattr(context, "COOKIES", None), Mapping):
            return context
        context = next(_led_to(context), None)
    return None


def read_identity(request: Any) -> Identity:
    """What the headers that PIXEL_HEADER and VTSID_HEADER name say, and otherwise the cookies.

    A header is the page's own word, where a cookie may be of the server's domain alone. Either counts only if it looks
    like the vendor's.
    """
    from_cookies = Identity.from_cookies(request.COOKIES)
    pixel, vtsid = (_header(request, name) for name in (settings.PIXEL_HEADER, settings.VTSID_HEADER))
    if not pixel and not vtsid:
        return from_cookies
    from_headers = Identity.from_cookies({PIXEL_COOKIE: pixel, VTSID_COOKIE: vtsid})
    by_pixel = from_headers if from_headers.user_id else from_cookies
    vtsid = from_headers.vtsid or from_cookies.vtsid
    return Identity(user_id=by_pixel.user_id, session_id=by_pixel.session_id, vtsid=vtsid)


def _header(request: Any, name: str | None) -> str:
    headers = getattr(request, "headers", None)
    return headers.get(name, "") if name and isinstance(headers, Mapping) else ""


def _led_to(context: object) -> Iterator[object]:
    for name in LEADING:
        found = context.get(name) if isinstance(context, Mapping) else getattr(context, name, None)
        if found is not None:
            yield found
