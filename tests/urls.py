"""The pages of the tests' shop."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import include, path

from tests.projects.shop import views

urlpatterns = [
    path("", views.home, name="home"),
    path("buy/", views.buy, name="buy"),
    path("buy-and-fail/", views.buy_and_fail, name="buy-and-fail"),
    path("buy-async/", views.buy_async, name="buy-async"),
    path("login/", LoginView.as_view(template_name="admin/login.html", next_page="/"), name="login"),
    path("admin/", admin.site.urls),
    path("cookies/", include("cookie_consent.urls")),
]
