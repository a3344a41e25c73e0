from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", LoginView.as_view(template_name="admin/login.html", next_page="/plan/pricing/"), name="auth_login"),
    path("plan/", include("plans.urls")),
    path("plan/", include("plans_payments.urls")),
    path("payments/", include("payments.urls")),
]
