"""The middleware: sets `request.vt_identity`, a lazy object that reads the cookies on first use."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from django_vt import dispatchers
from django_vt.discretion import discreetly
from django_vt.identity import Identity
from django_vt.visitors import serving, vtsid_cookie

Response: TypeAlias = "HttpResponseBase | Awaitable[HttpResponseBase]"


class VTIdentityMiddleware:
    """Gives each request `vt_identity`, an `Identity` read from its cookies and headers on first use.

    Add it to MIDDLEWARE. It is sync or async like `get_response`.

    It makes no query, sets no `Vary: Cookie` and does not touch `request.user`. A process's first request also starts
    the dispatcher, so that entries which a killed process left are sent.

    With ISSUE_VTSID, a visitor without `_vtsid` gets one, and this request's identity has it already. Only the response
    that sets the cookie varies by it. A function in ISSUE_VTSID may use `request.user` if this middleware comes after
    Django's in MIDDLEWARE.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Response]) -> None:
        self.get_response = get_response
        self.is_async: bool = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    @discreetly
    def __call__(self, request: HttpRequest) -> Response:
        """Serve `request`, or return the coroutine that does. Raises what the views raise, but no error of its own."""
        if self.is_async:
            return self._serve_async(request)
        vtsid = vtsid_cookie.new_vtsid(request)
        token = self._begin(request, vtsid)
        try:
            response = cast("HttpResponseBase", self.get_response(request))
        finally:
            serving.stop_serving(token)
        if vtsid:
            vtsid_cookie.hand_out(response, vtsid)
        return response

    @discreetly
    async def _serve_async(self, request: HttpRequest) -> HttpResponseBase:
        vtsid = await vtsid_cookie.anew_vtsid(request)
        token = self._begin(request, vtsid)
        try:
            response = await cast("Awaitable[HttpResponseBase]", self.get_response(request))
        finally:
            serving.stop_serving(token)
        if vtsid:
            vtsid_cookie.hand_out(response, vtsid)
        return response

    def _begin(self, request: HttpRequest, vtsid: str) -> serving.ServingToken:
        dispatchers.start_with_first_request()
        request.vt_identity = SimpleLazyObject(lambda: _identity(request, vtsid))  # type: ignore[attr-defined]
        return serving.start_serving(request)


@discreetly
def _identity(request: HttpRequest, vtsid: str) -> Identity:
    known = serving.read_identity(request)
    return dataclasses.replace(known, vtsid=vtsid) if vtsid else known
