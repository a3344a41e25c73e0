from __future__ import annotations

from django.urls import include, path

from tests.urls import urlpatterns as shop

# Before the admin's own, which answers 404 to whatever else is below it.
urlpatterns = [path("admin/", include("loginas.urls")), path("hijack/", include("hijack.urls")), *shop]
