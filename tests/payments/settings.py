"""A shop that is paid through dj-stripe and through django-payments, as both document it."""

from __future__ import annotations

import warnings

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

# Its own: they come as Django starts, before a test could choose what to do with them.
warnings.filterwarnings("default", module="djstripe")

ROOT_URLCONF = "tests.payments.urls"
INSTALLED_APPS = [*INSTALLED_APPS, "djstripe", "payments", "tests.payments.shop"]
MIGRATION_MODULES = {"djstripe": None}  # the tables as its models have them: the way there takes a minute

STRIPE_TEST_SECRET_KEY = f"sk_test_{24 * '0'}"
STRIPE_LIVE_MODE = False
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"

PAYMENT_HOST = "testserver"
PAYMENT_USES_SSL = False
PAYMENT_MODEL = "payments_shop.Payment"
PAYMENT_VARIANTS = {"default": ("payments.dummy.DummyProvider", {})}
