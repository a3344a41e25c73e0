"""The settings of the shop's processes in a chaos run: the tests' shop, really sending, with time scaled down."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.apps.ChaosConfig"]  # noqa: F405
ALLOWED_HOSTS = ["*"]

DJANGO_VT = {
    "ACCOUNT_ID": "chaos",
    "ENDPOINT": os.environ["CHAOS_ENDPOINT"],
    "BACKEND": "django_vt.backends.http.HttpBackend",
    "DISPATCHER": "django_vt.dispatchers.thread.ThreadDispatcher",
    "TIMEOUT": (0.5, 1.0),
    "LEASE": 8,
    "RETRY_DELAYS": (0.2, 0.4, 0.8, 1.5, 3, 3, 3),
}
