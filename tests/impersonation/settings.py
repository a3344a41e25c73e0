"""The tests' project with django-hijack and django-loginas, as their documentation has them installed."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS, MIDDLEWARE

ROOT_URLCONF = "tests.impersonation.urls"
INSTALLED_APPS = [*INSTALLED_APPS, "hijack", "hijack.contrib.admin", "loginas"]
MIDDLEWARE = [*MIDDLEWARE, "hijack.middleware.HijackUserMiddleware"]
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = LOGINAS_LOGOUT_REDIRECT_URL = LOGINAS_REDIRECT_URL = "/login/"
