"""A site that sells plans, as django-plans and django-plans-payments document it, and the adapter's one line."""

from __future__ import annotations

import warnings
from pathlib import Path

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS, TEMPLATES

# Its own, on Django 6.1: they come as Django starts, before a test could choose what to do with them.
warnings.filterwarnings("default", module="plans")

ROOT_URLCONF = "tests.plans.urls"
INSTALLED_APPS = [
    *INSTALLED_APPS,
    "django.contrib.sites",
    "plans",
    "sequences.apps.SequencesConfig",
    "payments",
    "plans_payments",
    "django_vt.contrib.plans",
]
TEMPLATES = [{**TEMPLATES[0], "DIRS": [Path(__file__).parent / "templates"]}]
SITE_ID = 1
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PLANS_CURRENCY = "EUR"
PLANS_TAXATION_POLICY = "tests.plans.taxation.Fifth"
PLANS_DEFAULT_COUNTRY = "RO"
PLANS_INVOICE_ISSUER = {
    "issuer_name": "Tea club",
    "issuer_street": "Str. Lunga 1",
    "issuer_zipcode": "500035",
    "issuer_city": "Brasov",
    "issuer_country": "RO",
    "issuer_tax_number": "RO1",
}

PAYMENT_HOST = "testserver"
PAYMENT_USES_SSL = False
PAYMENT_MODEL = "plans_payments.Payment"
PAYMENT_VARIANTS = {"default": ("payments.dummy.DummyProvider", {})}
