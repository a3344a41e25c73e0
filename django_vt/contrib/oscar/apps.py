"""The app `django_vt.contrib.oscar`. Its label cannot be `oscar`, which is Oscar's own."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OscarConfig(AppConfig):
    """Connects the receivers."""

    name = "django_vt.contrib.oscar"
    label = "django_vt_oscar"
    verbose_name = _("Vibetrace for Oscar")
    # Gives the shop's orders to `find_unreported_orders`, beside the setting ORDERS.
    django_vt_orders = "django_vt.contrib.oscar.orders.placed_orders"

    def ready(self) -> None:
        """Listen for Oscar's orders."""
        from django_vt.contrib.oscar import receivers

        receivers.connect()
