"""Backends: each sends one request and returns the vendor's answer."""

from __future__ import annotations

from django_vt.backends.base import Backend

__all__ = ["Backend"]
