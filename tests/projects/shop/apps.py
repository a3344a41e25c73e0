from __future__ import annotations

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Has no migrations: the test runner creates its table."""

    name = "tests.projects.shop"
    default_auto_field = "django.db.models.BigAutoField"
