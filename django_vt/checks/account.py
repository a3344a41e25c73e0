"""Whether there is an account to send for, and whether it can stand in the path of the vendor's address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.checks import CheckMessage, Error

from django_vt.checks.values import is_well_formed
from django_vt.conf import BLOCK, account_id_is_usable, settings


def check_account(block: Mapping[Any, Any]) -> list[CheckMessage]:
    """ACCOUNT_ID may be missing only where nothing is sent."""
    if not is_well_formed(block, "ACCOUNT_ID"):
        return []
    if not settings.ACCOUNT_ID:
        return [] if settings.ENABLED is False else [_missing()]
    return [] if account_id_is_usable(settings.ACCOUNT_ID) else [_unusable()]


def _missing() -> CheckMessage:
    return Error(
        f'{BLOCK}["ACCOUNT_ID"] is missing: there is no account to send events for.',
        hint="It is the id that Vibetrace gave the shop. Where nothing is to be sent, as in development, set "
        f'{BLOCK}["ENABLED"] to False instead.',
        id="django_vt.E002",
    )


def _unusable() -> CheckMessage:
    return Error(
        f'{BLOCK}["ACCOUNT_ID"] cannot stand in the path of a URL.',
        hint="It may have up to 64 letters, digits and the characters . _ ~ - and nothing else, no blanks either.",
        id="django_vt.E003",
    )
