"""`{% load vt_orders %}{% vt_order_entries order.number %}` shows an order's entries on its page in a dashboard."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from django_vt.discretion import discreetly

register = template.Library()


@register.inclusion_tag("django_vt/order_entries.html", takes_context=True)
@discreetly
def vt_order_entries(context: Context, order_id: object) -> dict[str, Any]:
    """The newest entries of an order in the send log, each with its state and reason: two to four queries.

    `order_id` is the id that was reported. If the user (`request.user`, or `user` in the context) may see the send log,
    each entry has a link. It shows no personal data, and never breaks the page: if the send log cannot be read, it says
    so.
    """
    from django_vt.admin.order_page import entries_of_order  # the admin may not be installed

    request = getattr(context, "request", None) or context.get("request")
    user = getattr(request, "user", None) or context.get("user")
    return {"entries": entries_of_order(order_id, user)}
