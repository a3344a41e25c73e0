"""Which logins are reported: those of shoppers who log in themselves."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from django_vt import hooks
from django_vt.conf import settings
from django_vt.events import Login
from django_vt.recording import attribution

# Django's own name for the receiver that writes `last_login`.
LAST_LOGIN = "update_last_login"

_usual = {"last_login": False}


def login_of(user: Any, request: HttpRequest | None) -> Login | None:
    """The `Login` to record; None if TRACK_LOGINS excludes it, or if somebody else logs in as this user."""
    if is_impersonation(user, request) or not _is_wanted(user, request):
        return None
    return Login(attribution.address_of(user), settings.LOGIN_SOURCE)


def is_plain(user: object) -> bool:
    """Whether the needed fields of the user are loaded, so that neither a query nor the shop's code runs."""
    return settings.TRACK_LOGINS in (True, "all") and attribution.is_loaded(user) and "is_staff" in vars(user)


def _is_wanted(user: Any, request: HttpRequest | None) -> bool:
    wanted: Any = settings.TRACK_LOGINS
    if wanted is True:
        return not getattr(user, "is_staff", False)
    return wanted == "all" or bool(hooks.ask(wanted, user, request))


def note_what_is_usual() -> None:
    """Note whether logins of this project write `last_login`. Call it when nobody is logging in."""
    _usual["last_login"] = _writes_last_login()


def is_impersonation(user: Any, request: HttpRequest | None) -> bool:
    """Whether a member of staff logs in as somebody else, or returns: with django-hijack or django-loginas, say.

    These two disconnect Django's receiver that writes `last_login` meanwhile. Any other tool is recognised by a login
    of another user within a request of staff.
    """
    if _usual["last_login"] and not _writes_last_login():
        return True
    # Django keeps the user who made the request here; `request.user` is the new user by now.
    before: Any = getattr(request, "_cached_user", None) or getattr(request, "_acached_user", None)
    return bool(getattr(before, "is_staff", False)) and before.pk != user.pk


def _writes_last_login() -> bool:
    return any(receiver[0][0] == LAST_LOGIN for receiver in user_logged_in.receivers)
