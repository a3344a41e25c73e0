"""A project with django-tenants, as docs/how-to/tenants.md sets one up: the send log is each tenant's own."""

from __future__ import annotations

import environ

env = environ.Env()
DATABASES = {
    "default": {
        **env.db_url("DATABASE_URL", default="postgres://postgres@127.0.0.1:5432/django_vt_tenants"),
        "ENGINE": "django_tenants.postgresql_backend",
    }
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
SECRET_KEY = "not a secret: for the tests only"
USE_TZ = True
ROOT_URLCONF = "tests.tenants.urls"

SHARED_APPS = ["django_tenants", "tests.tenants.shops"]
TENANT_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django_vt"]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
TENANT_MODEL, TENANT_DOMAIN_MODEL = "shops.Shop", "shops.Domain"
MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware", "django_vt.middleware.VTIdentityMiddleware"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DJANGO_VT = {
    "ACCOUNT_ID": "acc123",
    "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher",
}
