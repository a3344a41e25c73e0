"""The system checks: a wrong setting is found by `manage.py check`, not at the first order.

None opens a connection, to the network or to a database, and none raises, whatever `DJANGO_VT` holds. No message
repeats a string out of the settings that could hold a password. `manage.py check --tag django_vt` runs just these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, register

from django_vt.checks.account import check_account
from django_vt.checks.dotted_paths import check_dotted_paths
from django_vt.checks.endpoint import check_endpoint
from django_vt.checks.lease import check_lease
from django_vt.checks.middleware import check_middleware
from django_vt.checks.unknown_keys import check_unknown_keys
from django_vt.checks.values import check_values
from django_vt.conf import BLOCK

TAG = "django_vt"

CHECKS_OF_THE_BLOCK = (
    check_unknown_keys,
    check_values,
    check_account,
    check_endpoint,
    check_lease,
    check_dotted_paths,
)


@register(TAG)
def check_settings(app_configs: object = None, **options: object) -> list[CheckMessage]:
    """Everything in `DJANGO_VT`."""
    block: Any = getattr(django_settings, BLOCK, None)
    if not isinstance(block, Mapping):
        return [
            Error(
                f"The setting {BLOCK} is {'missing' if block is None else 'not a dict'}.",
                hint=f'Add {BLOCK} = {{"ACCOUNT_ID": "…"}} with the id that Vibetrace gave the shop.',
                id="django_vt.E001",
            )
        ]
    return [message for check in CHECKS_OF_THE_BLOCK for message in check(block)]


@register(TAG)
def check_project(app_configs: object = None, **options: object) -> list[CheckMessage]:
    """What the app needs of the project's other settings."""
    return check_middleware()
