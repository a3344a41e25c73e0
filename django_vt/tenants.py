"""The check for projects with django-tenants, in which each tenant's schema has a send log."""

from __future__ import annotations

from django.core.checks import CheckMessage, Error
from django.db import connections

from django_vt.conf import settings
from django_vt.models.db import default_alias

WITHIN_THE_REQUEST = ("immediate.ImmediateDispatcher", "manual.ManualDispatcher")


def check_tenants() -> list[CheckMessage]:
    """An error if the send log is in schemas of django-tenants and the dispatcher works in the background.

    A background thread or worker uses the schema `public`: tenants' orders would wait for ever, unnoticed.
    """
    engine = str(connections[default_alias()].settings_dict.get("ENGINE"))
    if not engine.startswith("django_tenants.") or settings.DISPATCHER.endswith(WITHIN_THE_REQUEST):
        return []
    return [
        Error(
            "DISPATCHER works in the background, in the schema public: orders in tenants' schemas would never be sent.",
            hint='Set it to "django_vt.dispatchers.manual.ManualDispatcher", and let cron run '
            "`manage.py all_tenants_command send_pending` every minute.",
            id="django_vt.E012",
        )
    ]
