"""`{% load vt_orders %}{% vt_order_entries order.number %}`: what became of an order, on its page in a dashboard."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from django_vt.discretion import discreetly

register = template.Library()


@register.inclusion_tag("django_vt/order_entries.html", takes_context=True)
@discreetly
def vt_order_entries(context: Context, order_id: object) -> dict[str, Any]:
    """The newest entries that the send log has of an order, each with its state and the reason: two queries or four.

    `order_id` is what was passed as such. Who may see the send log (`request.user`, or `user`, of the context) gets a
    link to each. It tells nothing of a person, and breaks no page: where the send log cannot be read, it says so.
    """
    from django_vt.admin.order_page import entries_of_order  # the admin may not be installed

    request = getattr(context, "request", None) or context.get("request")
    user = getattr(request, "user", None) or context.get("user")
    return {"entries": entries_of_order(order_id, user)}
