"""The admin, and what Grappelli's pages ask for."""

from __future__ import annotations

from django.apps import apps
from django.contrib import admin
from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    *([path("grappelli/", include("grappelli.urls"))] if apps.is_installed("grappelli") else []),
    path("favicon.ico", lambda _request: HttpResponse(status=204)),
    path("admin/", admin.site.urls),
]
