"""The app `django_vt.contrib.plans`. Its label is not `plans`, which is the label of django-plans itself."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlansConfig(AppConfig):
    """Connects the receivers."""

    name = "django_vt.contrib.plans"
    label = "django_vt_plans"
    verbose_name = _("Vibetrace for django-plans")
    # For `find_unreported_orders`, where the setting ORDERS names no others.
    django_vt_orders = "django_vt.contrib.plans.orders.placed_orders"

    def ready(self) -> None:
        """Listen for the orders of django-plans."""
        from django_vt.contrib.plans import receivers

        receivers.connect()
