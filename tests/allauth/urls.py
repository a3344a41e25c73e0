from __future__ import annotations

from django.urls import include, path

from tests.projects.shop import views

urlpatterns = [
    path("", views.home),
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("allauth.headless.urls")),
]
