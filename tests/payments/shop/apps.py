from __future__ import annotations

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Has no migrations: the test runner creates its tables."""

    name = "tests.payments.shop"
    label = "payments_shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tests.payments.recipes import recipe

        recipe("shop.stripe_checkout")
        recipe("shop.payments")
