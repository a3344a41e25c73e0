"""The settings of the shop's processes in a chaos run: the tests' Celery project, really sending, time scaled down."""

from __future__ import annotations

from tests.projects.celery.settings import *  # noqa: F403
from tests.settings import env

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.apps.ChaosConfig"]  # noqa: F405
ALLOWED_HOSTS = ["*"]

DJANGO_VT = {
    "ACCOUNT_ID": "chaos",
    "ENDPOINT": env("VT_ENDPOINT"),
    "BACKEND": "django_vt.backends.http.HttpBackend",
    "DISPATCHER": env("CHAOS_DISPATCHER", default="django_vt.dispatchers.manual.ManualDispatcher"),
    "TIMEOUT": (0.5, 1.0),
    "LEASE": 8,
    "RETRY_DELAYS": (0.2, 0.4, 0.8, 1.5, 3, 3, 3),
}
