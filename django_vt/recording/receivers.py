"""What the app listens to: the shop's `order_placed` and Django's `user_logged_in`. No receiver here ever raises."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.db import connections
from django.http import HttpRequest

from django_vt.conf import settings
from django_vt.events import CONFIRMATION, LOGIN, Confirmation, Login
from django_vt.exceptions import InvalidField
from django_vt.identity import Identity
from django_vt.recording import attribution, record
from django_vt.recording.shield import Shield
from django_vt.signals import order_placed

MISSING = object()


def connect() -> None:
    """Connect the receivers; a second time changes nothing."""
    order_placed.connect(record_order, dispatch_uid="django_vt.record_order")
    user_logged_in.connect(record_login, dispatch_uid="django_vt.record_login")


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
    **_others: object,
) -> None:
    """Record the `Confirmation` of an order: the receiver of `order_placed`.

    `order_id`, `total` (Decimal, int or str, in the shop's currency) and `items` (`Item`s, pairs or dicts) must be
    given; `request`, `identity`, `email`, `extra` and `using` (a database alias) where there are any. What cannot be
    used is recorded as `skipped` with the reason, so that the order is not lost from sight.
    """
    extra = {} if extra is None else extra
    given = {"order_id": order_id, "total": total, "items": items, "email": email, "extra": extra}
    with Shield("an order", using):
        try:
            _check_context(identity, using)
            event = Confirmation(**_present(given))
        except Exception as error:  # noqa: BLE001 - whatever the shop passes, its checkout goes on
            known = using if _is_database(using) else None
            record.record_invalid(CONFIRMATION, order_id, record.problem(error), using=known)
            return
        record.track(event, request=request, identity=identity, using=using)


def record_login(sender: object, *, request: HttpRequest | None = None, user: Any = None, **_others: object) -> None:
    """Record the `Login` of a shopper: the receiver of Django's `user_logged_in`, as TRACK_LOGINS says.

    The request may be one that no middleware has seen, as from `Client.force_login`.
    """
    with Shield("a login"):
        if user is None or not _tracked(user):
            return
        try:
            event = Login(attribution.address_of(user), settings.LOGIN_SOURCE)
        except InvalidField as error:
            record.record_invalid(LOGIN, "", record.problem(error))
            return
        record.track(event, request=request)


def _tracked(user: Any) -> bool:
    if not settings.ENABLED or not settings.TRACK_LOGINS:
        return False
    return settings.TRACK_LOGINS == "all" or not getattr(user, "is_staff", False)


def _check_context(identity: object, using: object) -> None:
    if identity is not None and not isinstance(identity, Identity):
        raise InvalidField("identity", "must be an Identity")
    if using is not None and not _is_database(using):
        raise InvalidField("using", "is no alias in DATABASES")


def _is_database(using: object) -> bool:
    return isinstance(using, str) and using in connections


def _present(given: dict[str, Any]) -> dict[str, Any]:
    for name, value in given.items():
        if value is MISSING:
            raise InvalidField(name, "is missing")
    return given
