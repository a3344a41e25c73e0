"""`{% load vt %}{% vt_identify %}`: tells the vendor's script in the browser which `_vtsid` the visitor has."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from django_vt.conf import settings
from django_vt.discretion import discreetly
from django_vt.exceptions import InvalidField
from django_vt.identity import VTSID_COOKIE
from django_vt.protocol.values import TYPE_PATTERN, is_type

register = template.Library()


@register.inclusion_tag("django_vt/vt_identify.html", takes_context=True)
@discreetly
def vt_identify(context: Context, event_type: str = "identify") -> dict[str, Any]:
    """A script that pushes an event with the visitor's `_vtsid`, where there is one, to the vendor's queue.

    The vendor's document has it that `_vtsid` be "set in the event set along with userId and sessionId", and that
    events in the browser are pushed to `window._vteq` as `{type: fields}`. It is assumed here that its pixel adds the
    first two to whatever is pushed, and that a generic event named `event_type` will do; another name can be given.

    The script reads `document.cookie` and never holds the id, so the page may be cached. It carries the page's CSP
    nonce, of Django's own middleware or django-csp's, where there is one. Renders nothing where ENABLED is False.
    Raises `ValueError` for an `event_type` that is none.
    """
    if not is_type(event_type):
        raise InvalidField("event_type", f"must match {TYPE_PATTERN.pattern}")
    return {"enabled": settings.ENABLED, "cookie": VTSID_COOKIE, "event_type": event_type, "nonce": _nonce(context)}


def _nonce(context: Context) -> object | None:
    """The page's nonce. Not asked for its truth: it is false until it is first written out."""
    request = getattr(context, "request", None) or context.get("request")
    # django-csp's, then Django's own, which the context has only with its context processor.
    candidates = (
        getattr(request, "csp_nonce", None), getattr(request, "_csp_nonce", None), context.get("csp_nonce")
    )  # fmt: skip
    return next((nonce for nonce in candidates if nonce is not None), None)
