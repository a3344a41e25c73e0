"""The address that must not be seen, and where the pages are."""

from __future__ import annotations

from django.urls import reverse

CANARY = "canary.bird@example.com"
CANARY_PARTS = ("canary", "canary.bird", "canary.bird@", "example.com")
PIXEL = "8139618027113397_253412802711339765"


def url(name: str, *args: object) -> str:
    """The address of an admin page of the send log."""
    return reverse(f"admin:django_vt_sendlogentry_{name}", args=args)
