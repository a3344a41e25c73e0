"""Whose logins are reported: those of shoppers, by their own act."""

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
    """The `Login` to record; None where TRACK_LOGINS does not want it, or it is somebody else's act."""
    if is_impersonation(user, request) or not _is_wanted(user, request):
        return None
    return Login(attribution.address_of(user), settings.LOGIN_SOURCE)


def is_plain(user: object) -> bool:
    """Whether all that is asked of the user is there, so that no query runs and no code of the shop's."""
    return settings.TRACK_LOGINS in (True, "all") and attribution.is_loaded(user) and "is_staff" in vars(user)


def _is_wanted(user: Any, request: HttpRequest | None) -> bool:
    wanted: Any = settings.TRACK_LOGINS
    if wanted is True:
        return not getattr(user, "is_staff", False)
    return wanted == "all" or bool(hooks.ask(wanted, user, request))


def note_what_is_usual() -> None:
    """Note whether logins of this project write `last_login`, at a time at which nobody logs in."""
    _usual["last_login"] = _writes_last_login()


def is_impersonation(user: Any, request: HttpRequest | None) -> bool:
    """Whether staff log in as somebody else, or come back from it: django-hijack's and django-loginas's logins.

    Both take Django's receiver that writes `last_login` away while they do. What else logs in another user within a
    request of staff does the same, whatever it is.
    """
    if _usual["last_login"] and not _writes_last_login():
        return True
    # Where Django keeps the user whom the request came from; `request.user` is the new one by now.
    before: Any = getattr(request, "_cached_user", None) or getattr(request, "_acached_user", None)
    return bool(getattr(before, "is_staff", False)) and before.pk != user.pk


def _writes_last_login() -> bool:
    return any(receiver[0][0] == LAST_LOGIN for receiver in user_logged_in.receivers)
