"""The middleware: `request.vt_identity`, for the price of an object that looks at the cookies when it is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from django_vt import dispatchers, identity

Response: TypeAlias = "HttpResponseBase | Awaitable[HttpResponseBase]"


class VTIdentityMiddleware:
    """Gives each request `vt_identity`, an `Identity` read from its cookies on first use.

    No query, no `Vary: Cookie`, no access to `request.user`. A new process's first request also starts the
    dispatcher, so that what a killed process left is sent.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Response]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Response:
        """Serve a request, or give the coroutine that does."""
        if self.is_async:
            return self._serve_async(request)
        token = self._begin(request)
        try:
            return self.get_response(request)
        finally:
            identity.stop_serving(token)

    async def _serve_async(self, request: HttpRequest) -> HttpResponseBase:
        token = self._begin(request)
        try:
            return await cast("Awaitable[HttpResponseBase]", self.get_response(request))
        finally:
            identity.stop_serving(token)

    def _begin(self, request: HttpRequest) -> identity.ServingToken:
        dispatchers.start_with_first_request()
        request.vt_identity = SimpleLazyObject(lambda: identity.Identity.from_cookies(request.COOKIES))  # type: ignore[attr-defined]
        return identity.start_serving(request)
