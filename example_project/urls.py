"""The addresses of the whole site."""

from django.contrib import admin
from django.urls import include, path

admin.site.site_header = "Second Steep"
admin.site.site_title = "Second Steep"

urlpatterns = [
    path("", include("example_project.shop.urls")),
    path("admin/", admin.site.urls),
]
