"""The app's signal receivers: for the shop's `order_placed` and Django's `user_logged_in`."""

from __future__ import annotations

import logging
from functools import lru_cache, partial
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.core.signals import request_started
from django.db import connections
from django.http import HttpRequest

from django_vt.conf import settings
from django_vt.discretion import discreetly
from django_vt.events import CONFIRMATION, LOGIN
from django_vt.exceptions import InvalidField
from django_vt.identity import Identity
from django_vt.protocol import values
from django_vt.recording import logins
from django_vt.recording.call import Call, is_plain, is_plain_request
from django_vt.recording.door import be_heard
from django_vt.recording.record import record
from django_vt.recording.telling import tell
from django_vt.signals import order_placed

logger = logging.getLogger(__name__)

MISSING = object()
ARGUMENTS = ("order_id", "total", "items", "email", "extra", "request", "identity", "using", "account_id")

_told_of: set[str] = set()


def connect() -> None:
    """Connect the receivers; a second time changes nothing."""
    order_placed.connect(record_order, dispatch_uid="django_vt.record_order")
    user_logged_in.connect(record_login, dispatch_uid="django_vt.record_login")
    request_started.connect(begin_to_serve, dispatch_uid="django_vt.begin_to_serve")


def begin_to_serve(sender: object, **_others: object) -> None:
    """On a process's first request, do what must wait until setup is complete. Later requests pay nothing."""
    request_started.disconnect(dispatch_uid="django_vt.begin_to_serve")
    be_heard()
    logins.note_what_is_usual()


@discreetly
def record_order(
    sender: object,
    *,
    order_id: Any = MISSING,
    total: Any = MISSING,
    items: Any = MISSING,
    email: Any = "",
    extra: Any = None,
    request: HttpRequest | None = None,
    identity: Identity | None = None,
    using: str | None = None,
    account_id: str | None = None,
    **others: object,
) -> None:
    """Record the `Confirmation` of an order: the receiver of `order_placed`.

    `order_id`, `total` (Decimal, int, float or str, in the shop's currency) and `items` (`Item`s, pairs or dicts) are
    required; `request`, `identity`, `email`, `extra`, `using` (a database alias) and `account_id` are optional. An
    order with a value that cannot be used is recorded as `skipped` with the reason, so that it can be found. Raises
    what `django_vt.track` raises.
    """
    _tell_of_misspelt(others)
    given = {"order_id": order_id, "total": total, "items": items, "email": email, "extra": extra}

    # A member of an Enum of strings names a database too. Nothing else is looked at: that could run code of the shop's.
    alias = str.__str__(using) if issubclass(type(using), str) else None
    is_database = alias is not None and alias in connections
    record(
        Call(
            lambda: _present(given),
            request,
            lambda: _whose(identity, is_known=is_database or using is None),
            alias if is_database else None,
            account_id,
            event_type=CONFIRMATION,
            reference="" if order_id is MISSING else order_id,
            looks_plain=lambda: is_plain(*given.values(), identity) and is_plain_request(request),
        )
    )


@discreetly
def record_login(sender: object, *, request: HttpRequest | None = None, user: Any = None, **_others: object) -> None:
    """Record the `Login` of a shopper if TRACK_LOGINS says so: the receiver of Django's `user_logged_in`.

    The request may not have passed any middleware, as with `Client.force_login`.
    """
    if user is None or not settings.TRACK_LOGINS:
        return
    # What cannot be told of its user may be staff's login: it is logged, and not kept.
    make = partial(logins.login_of, user, request)
    record(
        Call(
            make,
            request,
            event_type=LOGIN,
            looks_plain=lambda: logins.is_plain(user) and is_plain_request(request),
            keeps_what_fails=False,
        )
    )


def _whose(identity: object, *, is_known: bool) -> Identity | None:
    if not is_known:
        raise InvalidField("using", "is no alias in DATABASES")
    found = values.plain(identity)  # a lazy object may hold None
    if found is not None and not isinstance(found, Identity):
        raise InvalidField("identity", "must be an Identity")
    return found


def _present(given: dict[str, Any]) -> dict[str, Any]:
    for name, value in given.items():
        if value is MISSING:
            raise InvalidField(name, "is missing")
    extra = values.plain(given["extra"])
    return {**given, "extra": {} if extra is None else extra}


def _tell_of_misspelt(others: dict[str, object]) -> None:
    """Warn, once a process, if a keyword is nearly one of ours: `e_mail` would be ignored silently."""
    for name in others:
        near = _nearly(name)
        if near and name not in _told_of and settings.ENABLED:
            _told_of.add(name)
            words = "order_placed does not know %s, and passes over it: is %s meant?"
            tell(logger, logging.WARNING, words, name, near)


@lru_cache(maxsize=64)  # Django passes `signal` each time
def _nearly(name: str) -> str | None:
    return next((argument for argument in ARGUMENTS if _is_near(name, argument)), None)


def _is_near(name: str, argument: str) -> bool:
    """Whether two names differ only in underscores, capitals, and one letter added, missing or replaced."""
    one, other = (text.replace("_", "").lower() for text in (name, argument))
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    same = next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    return one[same:] == other[same + 1 :] or one[same + 1 :] == other[same + 1 :]
