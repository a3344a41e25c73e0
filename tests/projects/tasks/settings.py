"""The tests' settings with the database backend of django-tasks-db; the vendor comes from the environment."""

from __future__ import annotations

import django

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as APPS
from tests.settings import env

FRAMEWORK = [] if django.VERSION >= (6, 0) else ["django_tasks"]
INSTALLED_APPS = [*APPS, *FRAMEWORK, "django_tasks_db"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

DJANGO_VT = {
    "ACCOUNT_ID": "acc123",
    "ENDPOINT": env("VT_ENDPOINT", default="http://127.0.0.1:9/event"),
    "DISPATCHER": "django_vt.dispatchers.django_tasks.TasksDispatcher",
    "RETRY_DELAYS": (1, 300),  # the first is waited for
}

# Django's own shows what its tasks say in DEBUG only, and the tests wait for that.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
