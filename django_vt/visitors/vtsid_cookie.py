"""The site's own visitor id: where ISSUE_VTSID says so, a visitor who has none gets the cookie `_vtsid`.

The vendor takes an event that carries the `_vtsid` of an earlier browser-side event as that visitor's ("Server Side
User Identification"). So the page's script must be able to read it: it is not HttpOnly, see `{% vt_identify %}`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.conf import settings as django_settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.module_loading import import_string

from django_vt.conf import settings
from django_vt.identity import VTSID_COOKIE
from django_vt.visitors import serving

logger = logging.getLogger(__name__)

RANDOM_BYTES = 16  # 22 characters

_told: set[str] = set()


def new_vtsid(request: HttpRequest) -> str:
    """A fresh id where this request's visitor is to get one, else empty. Never raises."""
    wanted = settings.ISSUE_VTSID and _is_wanted(request)
    return _fresh() if wanted and _is_allowed(request) else ""


async def anew_vtsid(request: HttpRequest) -> str:
    """`new_vtsid` on an event loop: a hook, which may ask the database, is called in Django's thread for that."""
    if not (settings.ISSUE_VTSID and _is_wanted(request)):
        return ""
    allowed = settings.ISSUE_VTSID is True or await sync_to_async(_is_allowed)(request)
    return _fresh() if allowed else ""


def hand_out(response: HttpResponseBase, vtsid: str) -> None:
    """Set the cookie, and keep the response out of shared caches: one would hand the visitor's id to all. Never raises.

    A view that has set or deleted the cookie itself has its way.
    """
    if VTSID_COOKIE in response.cookies:
        return
    try:
        # What of the request decides whether there is a cookie to set.
        patch_vary_headers(response, ("Cookie", *filter(None, [settings.VTSID_HEADER])))
        patch_cache_control(response, private=True)
        _leave_out_shared_caches(response)
        _set_cookie(response, vtsid)
    except Exception as error:  # noqa: BLE001 - a setting of a wrong type does not cost the visitor the page
        _tell_once("The cookie could not be set", error)


def _leave_out_shared_caches(response: HttpResponseBase) -> None:
    # `private` alone does not do: a cache that is given `s-maxage` is told that it may store the response.
    directives = response.get("Cache-Control", "").split(",")
    kept = [each for each in directives if not each.strip().lower().startswith("s-maxage")]
    response["Cache-Control"] = ",".join(kept).strip()


def _is_wanted(request: HttpRequest) -> bool:
    return bool(settings.ENABLED) and not serving.read_identity(request).vtsid


def _is_allowed(request: HttpRequest) -> bool:
    """What ISSUE_VTSID says. Where its hook raises, consent is not known: no."""
    if settings.ISSUE_VTSID is True:
        return True
    try:
        hook: Callable[[HttpRequest], Any] = import_string(str(settings.ISSUE_VTSID))
        # What an async function returns would count as a yes, whatever it had to say.
        return bool((async_to_sync(hook) if iscoroutinefunction(hook) else hook)(request))
    except Exception as error:  # noqa: BLE001 - a project may have written it
        _tell_once("ISSUE_VTSID raised, so no cookie is set", error)
        return False


def _fresh() -> str:
    return secrets.token_urlsafe(RANDOM_BYTES)


def _set_cookie(response: HttpResponseBase, vtsid: str) -> None:
    response.set_cookie(
        VTSID_COOKIE,
        vtsid,
        max_age=settings.VTSID_AGE,
        path=django_settings.SESSION_COOKIE_PATH,
        domain=django_settings.SESSION_COOKIE_DOMAIN,
        secure=django_settings.SESSION_COOKIE_SECURE,
        httponly=False,
        samesite="Lax",
    )


def _tell_once(what: str, error: Exception) -> None:
    """Once a process and class of error, not with every page; never the text, which could hold anything."""
    told = f"{what}: {type(error).__name__}"
    if told not in _told:
        _told.add(told)
        logger.error("%s", told)
