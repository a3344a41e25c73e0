"""How bytes leave. A backend takes one request and gives the vendor's answer."""

from __future__ import annotations

from django_vt.backends.base import Backend

__all__ = ["Backend"]
