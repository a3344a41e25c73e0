"""The tests' project with an API of each framework, as their documentation has them installed."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import DJANGO_VT, INSTALLED_APPS

ROOT_URLCONF = "tests.apis.urls"
INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework", "rest_framework.authtoken", "ninja", "graphene_django"]
DJANGO_VT = {**DJANGO_VT, "PIXEL_HEADER": "X-VT-User", "VTSID_HEADER": "X-VTSID"}
