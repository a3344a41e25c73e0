from __future__ import annotations

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Has no migrations: the test runner creates its table."""

    name = "tests.salesman.shop"
    label = "salesman_shop"
