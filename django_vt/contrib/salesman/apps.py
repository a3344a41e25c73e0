"""The app `django_vt.contrib.salesman`. Its label is not one of Salesman's own, which begin with `salesman`."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SalesmanConfig(AppConfig):
    """Connects the receivers."""

    name = "django_vt.contrib.salesman"
    label = "django_vt_salesman"
    verbose_name = _("Vibetrace for Salesman")
    # Gives the shop's orders to `find_unreported_orders`, beside the setting ORDERS.
    django_vt_orders = "django_vt.contrib.salesman.orders.placed_orders"

    def ready(self) -> None:
        """Listen for Salesman's orders."""
        from django_vt.contrib.salesman import receivers

        receivers.connect()
