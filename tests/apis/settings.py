"""The tests' project with an API of each framework, as their documentation has them installed, for pages elsewhere."""

from __future__ import annotations

from corsheaders.defaults import default_headers

from tests.settings import *  # noqa: F403
from tests.settings import DJANGO_VT, INSTALLED_APPS, MIDDLEWARE

ROOT_URLCONF = "tests.apis.urls"
INSTALLED_APPS = [
    *INSTALLED_APPS, "corsheaders", "rest_framework", "rest_framework.authtoken", "ninja", "graphene_django",
]  # fmt: skip
MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware", *MIDDLEWARE]
CORS_ALLOWED_ORIGIN_REGEXES = [r"http://localhost:\d+"]
CORS_ALLOW_HEADERS = [*default_headers, "X-VT-User", "X-VTSID"]
DJANGO_VT = {**DJANGO_VT, "PIXEL_HEADER": "X-VT-User", "VTSID_HEADER": "X-VTSID"}
