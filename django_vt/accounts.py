"""Which of the vendor's accounts an event is for. Only this module and the checks read ACCOUNT_ID.

ACCOUNT_ID is an account id, a dict from hosts to account ids, or the dotted path of a function. If one project serves
several shops, each has its account, and an order goes to the account of the shop that it was placed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import DisallowedHost
from django.db import Error as DatabaseFailure
from django.utils.http import is_same_domain

from django_vt import hooks
from django_vt.conf import account_id_is_usable, settings
from django_vt.exceptions import InvalidField
from django_vt.protocol import values
from django_vt.settings_rules import is_dotted_path

if TYPE_CHECKING:
    from django.http import HttpRequest

    from django_vt.events import AnyEvent


def account_for(event: AnyEvent | None, request: HttpRequest | None, account_id: object = None) -> str:
    """The account for `event`: `account_id` if it is given, otherwise the one that ACCOUNT_ID gives for the request.

    Empty if the settings name no usable account: the event is then recorded as skipped. `event` is None if no event
    could be made.

    Raises `InvalidField`, a `ValueError`, for an `account_id` that the settings do not allow, and if the function in
    ACCOUNT_ID fails. A database error of that function is raised unchanged.
    """
    account_id = values.plain(account_id)
    if account_id is not None:
        return _given(account_id)
    setting: Any = values.plain(settings.ACCOUNT_ID)
    if isinstance(setting, Mapping):
        return _of_host(setting, request)
    if is_dotted_path(setting):
        return _of_function(setting, event, request)
    return _usable(setting)


def _usable(account_id: object) -> str:
    """The account that a value is; empty if it can be none.

    In its plain form: of a member of an Enum of strings a driver may store "Shop.MAIN", an account of nobody's.
    """
    account_id = values.plain(account_id)
    return str(account_id) if account_id_is_usable(account_id) else ""


def known_accounts() -> tuple[str, ...] | None:
    """The usable accounts that the settings name, each once and in their order; None if a function decides."""
    setting: Any = values.plain(settings.ACCOUNT_ID)
    if is_dotted_path(setting):
        return None
    named = setting.values() if isinstance(setting, Mapping) else (setting,)
    return tuple(dict.fromkeys(filter(None, map(_usable, named))))


def decided_by_function() -> bool:
    """Whether ACCOUNT_ID names a function of the project's."""
    return is_dotted_path(values.plain(settings.ACCOUNT_ID))


def is_known(account_id: str) -> bool:
    """Whether the settings name the account. If a function decides, every account counts as known."""
    known = known_accounts()
    return known is None or account_id in known


def are_by_host() -> bool:
    """Whether the request's host decides between several accounts."""
    return isinstance(settings.ACCOUNT_ID, Mapping) and not only_account()


def account_at(host: str) -> str | None:
    """The account of a host, if hosts decide between several; None for a host that ACCOUNT_ID does not name."""
    return _found_at(settings.ACCOUNT_ID, host.lower()) if are_by_host() else None


def only_account() -> str:
    """The only account that the settings name; empty if they name none, several, or a function."""
    known = known_accounts() or ()
    return known[0] if len(known) == 1 else ""


def _given(account_id: object) -> str:
    if not isinstance(account_id, str) or not account_id_is_usable(account_id):
        raise InvalidField("account_id", "cannot stand as the account in the vendor's address")
    known = known_accounts()
    if known is not None and account_id not in known:
        raise InvalidField("account_id", "is none of those in ACCOUNT_ID: it would never be sent")
    return account_id


def _of_host(accounts: Mapping[Any, Any], request: HttpRequest | None) -> str:
    """The account of the request's host. If the dict names only one account, it is used for every host."""
    return _found_at(accounts, host_of(request)) or only_account()


def _found_at(accounts: Mapping[Any, Any], host: str) -> str | None:
    found = accounts.get(host)
    if found is None:
        patterns = (pattern for pattern in accounts if isinstance(pattern, str) and _covers(pattern, host))
        found = next((accounts[pattern] for pattern in patterns), None)
    return _usable(found) or None


def _covers(pattern: str, host: str) -> bool:
    return is_same_domain(host, pattern.lower()) or is_same_domain(host.rpartition(":")[0], pattern.lower())


def host_of(request: object) -> str:
    """The host of a request, in lower case, with its port if it has one; empty if it is unknown."""
    try:
        return str(request.get_host()).lower()  # type: ignore[attr-defined]
    except (AttributeError, DisallowedHost, KeyError):
        return ""


def _of_function(path: str, event: AnyEvent | None, request: HttpRequest | None) -> str:
    try:
        return _usable(hooks.ask(path, event, request))
    except DatabaseFailure:
        raise
    except Exception as error:  # noqa: BLE001 - the project has written it
        # Drop the text and the cause: both can hold data of the request.
        raise InvalidField("ACCOUNT_ID", f"its function raised {type(error).__name__}") from None
