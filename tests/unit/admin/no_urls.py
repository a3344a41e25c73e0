"""A project without an admin."""

from __future__ import annotations

urlpatterns: list[object] = []
