"""The app `django_vt.contrib.plans`. Its label cannot be `plans`, which is that of django-plans itself."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlansConfig(AppConfig):
    """Connects the receivers."""

    name = "django_vt.contrib.plans"
    label = "django_vt_plans"
    verbose_name = _("Vibetrace for django-plans")
    # Gives the shop's orders to `find_unreported_orders`, beside the setting ORDERS.
    django_vt_orders = "django_vt.contrib.plans.orders.placed_orders"

    def ready(self) -> None:
        """Listen for the orders of django-plans."""
        from django_vt.contrib.plans import receivers

        receivers.connect()
