"""A shop by Salesman's documentation, and the adapter's one line."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

ROOT_URLCONF = "tests.salesman.urls"
INSTALLED_APPS = [
    *INSTALLED_APPS,
    "salesman.core",
    "salesman.basket",
    "salesman.checkout",
    "salesman.orders",
    "salesman.admin",
    "rest_framework",
    "tests.salesman.shop",
    "django_vt.contrib.salesman",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"  # Salesman's migrations have it

SALESMAN_PRODUCT_TYPES = {"salesman_shop.Tea": "tests.salesman.shop.serializers.TeaSerializer"}
SALESMAN_BASKET_MODIFIERS = ["tests.salesman.shop.shipping.Shipping"]
SALESMAN_PAYMENT_METHODS = [
    "tests.salesman.shop.payment.Transfer",
    "tests.salesman.shop.payment.Card",
    "tests.salesman.shop.payment.PayLater",
]
