"""`{% load vt %}{% vt_identify %}` tells the vendor's script in the browser the visitor's `_vtsid`."""

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
    """A script that pushes an event with the visitor's `_vtsid`, if there is one, to the vendor's queue.

    According to the vendor's document, `_vtsid` must be "set in the event set along with userId and sessionId", and
    events in the browser are pushed to `window._vteq` as `{type: fields}`. This tag assumes that the vendor's pixel
    adds the other two to every event, and that a generic event named `event_type` will do.

    The script reads `document.cookie` and does not contain the id, so the page may be cached. It has the page's CSP
    nonce, from Django's own middleware or django-csp, if there is one. Renders nothing if ENABLED is False. Raises
    `ValueError` for an invalid `event_type`.
    """
    if not is_type(event_type):
        raise InvalidField("event_type", f"must match {TYPE_PATTERN.pattern}")
    return {"enabled": settings.ENABLED, "cookie": VTSID_COOKIE, "event_type": event_type, "nonce": _nonce(context)}


def _nonce(context: Context) -> object | None:
    """The page's nonce. Compare it with None: it is falsy until it is first rendered."""
    request = getattr(context, "request", None) or context.get("request")
    # First django-csp's, then Django's own; the context has the latter only with its context processor.
    candidates = (
        getattr(request, "csp_nonce", None), getattr(request, "_csp_nonce", None), context.get("csp_nonce")
    )  # fmt: skip
    return next((nonce for nonce in candidates if nonce is not None), None)
