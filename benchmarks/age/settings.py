"""A shop with its admin, on as many databases as are compared: `BENCH_DATABASES` is JSON of their addresses."""

from __future__ import annotations

import json
import os
from typing import Any

import environ

from tests.settings import MAILERS, MIDDLEWARE, SQLITE_OPTIONS, TEMPLATES

DATABASES: dict[str, Any] = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
for alias, address in json.loads(os.environ.get("BENCH_DATABASES", "{}")).items():
    DATABASES[alias] = environ.Env.db_url_config(address)
    if address.startswith("sqlite"):
        DATABASES[alias]["OPTIONS"] = SQLITE_OPTIONS
DATABASE_ROUTERS = ["benchmarks.age.turn.Router"]

SECRET_KEY = "not a secret: for the benchmarks only"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "benchmarks.age.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "django_vt",
]
STATIC_URL = "static/"

DJANGO_VT = {
    "ACCOUNT_ID": "acc123",
    "ENDPOINT": os.environ.get("BENCH_VENDOR", "http://127.0.0.1:9") + "/event",
    "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher",
}

__all__ = ["MAILERS", "MIDDLEWARE", "TEMPLATES"]
