"""The shop's own visitor id: if ISSUE_VTSID says so, a visitor without one gets the cookie `_vtsid`.

If an event carries the `_vtsid` of an earlier event from the browser, the vendor attributes it to the same visitor
("Server Side User Identification"). So the page's script must read the cookie: it is not HttpOnly, see
`{% vt_identify %}`.
"""

from __future__ import annotations

import logging
import secrets

from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers

from django_vt import hooks
from django_vt.conf import settings
from django_vt.identity import VTSID_COOKIE
from django_vt.visitors import serving

logger = logging.getLogger(__name__)

RANDOM_BYTES = 16  # 22 characters

_told: set[str] = set()


def new_vtsid(request: HttpRequest) -> str:
    """A new id if this request's visitor should get one, otherwise empty. Never raises."""
    wanted = settings.ISSUE_VTSID and _is_wanted(request)
    return _fresh() if wanted and _is_allowed(request) else ""


async def anew_vtsid(request: HttpRequest) -> str:
    """`new_vtsid` on an event loop. The hook may query, so it is called in Django's thread for sync code."""
    if not (settings.ISSUE_VTSID and _is_wanted(request)):
        return ""
    allowed = settings.ISSUE_VTSID is True or await sync_to_async(_is_allowed)(request)
    return _fresh() if allowed else ""


def hand_out(response: HttpResponseBase, vtsid: str) -> None:
    """Set the cookie, and keep the response out of shared caches, which would give the id to everybody. Never raises.

    If the view has set or deleted the cookie itself, nothing is changed.
    """
    if VTSID_COOKIE in response.cookies:
        return
    try:
        # These headers of the request decide whether the cookie is set.
        patch_vary_headers(response, ("Cookie", *filter(None, [settings.VTSID_HEADER])))
        patch_cache_control(response, private=True)
        _leave_out_shared_caches(response)
        _set_cookie(response, vtsid)
    except Exception as error:  # noqa: BLE001 - a setting of a wrong type must not break the page
        _tell_once("The cookie could not be set", error)


def _leave_out_shared_caches(response: HttpResponseBase) -> None:
    # `private` alone is not enough: `s-maxage` tells a shared cache that it may store the response.
    directives = response.get("Cache-Control", "").split(",")
    kept = [each for each in directives if not each.strip().lower().startswith("s-maxage")]
    response["Cache-Control"] = ",".join(kept).strip()


def _is_wanted(request: HttpRequest) -> bool:
    return bool(settings.ENABLED) and not serving.read_identity(request).vtsid


def _is_allowed(request: HttpRequest) -> bool:
    """Whether ISSUE_VTSID allows the cookie. If its hook raises, consent is unknown, so the answer is no."""
    if settings.ISSUE_VTSID is True:
        return True
    try:
        return bool(hooks.ask(str(settings.ISSUE_VTSID), request))
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
    """Log an error once per process and class of error. Leave out its text, which could hold anything."""
    told = f"{what}: {type(error).__name__}"
    if told not in _told:
        _told.add(told)
        logger.error("%s", told)
