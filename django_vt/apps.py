"""The app: connects the receivers and registers the checks."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DjangoVTConfig(AppConfig):
    """`django_vt` in INSTALLED_APPS."""

    name = "django_vt"
    verbose_name = _("Vibetrace")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen for orders and logins; the checks register themselves."""
        from django_vt import checks  # noqa: F401
        from django_vt.recording import receivers

        receivers.connect()
