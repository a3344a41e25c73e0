"""The shop that is measured: SQLite as production should have it, PostgreSQL, and MariaDB, where they are named."""

from __future__ import annotations

import os

import environ

from tests.settings import SQLITE_OPTIONS

env = environ.Env()

DATABASES = {"default": env.db_url("BENCH_SQLITE", default="sqlite:///:memory:")}
DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
for server in ("POSTGRESQL", "MARIADB"):
    if f"BENCH_{server}" in os.environ:
        DATABASES[server.lower()] = env.db_url(f"BENCH_{server}")

SECRET_KEY = "not a secret: for the benchmarks only"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django_vt",
    "post_office",
    "mailer",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

DJANGO_VT = {
    "ACCOUNT_ID": "acc123",
    "ENDPOINT": os.environ.get("BENCH_VENDOR", "http://127.0.0.1:9") + "/event",
    "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher",
}
