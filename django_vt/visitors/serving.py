"""The identity of a request's visitor, and the request that this thread or task is serving."""

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
    """Note that this thread or task serves the request from now on. Only the middleware calls this."""
    return _served.set(request), being_served.set(lambda: of_request(request))


def stop_serving(token: ServingToken) -> None:
    """Note that the request has been served. Only the middleware calls this."""
    request, whose = token
    _served.reset(request)
    being_served.reset(whose)


def current_request() -> HttpRequest | None:
    """The request that this thread or task is serving; None outside a request, or if it did not pass the middleware."""
    return _served.get()


def of_request(request: object) -> Identity:
    """The identity of a request's visitor. The request may be wrapped, and need not have passed the middleware.

    The identity is falsy if `request` leads to no request.
    """
    found = request_in(request)
    if found is None:
        return NOBODY
    known = getattr(found, "vt_identity", None)
    return known if isinstance(known, Identity) else read_identity(found)


def request_in(context: object) -> Any:
    """The object with cookies: `context` itself, or one that it leads to; None if there is none.

    REST framework wraps a request, and so do GraphQL's `info` and its `context`, an object or a dict depending on the
    server. The outermost object with cookies is returned, because its `user` is the one that the framework found.
    """
    for _step in range(LONGEST_WAY):
        if context is None or isinstance(getattr(context, "COOKIES", None), Mapping):
            return context
        context = next(_led_to(context), None)
    return None


def read_identity(request: Any) -> Identity:
    """The identity in the headers that PIXEL_HEADER and VTSID_HEADER name, otherwise that in the cookies.

    A header comes from the page itself, while a cookie may belong to the server's domain only. Both are ignored unless
    they match the vendor's form.
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
