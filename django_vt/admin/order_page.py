"""Links between orders and entries: a link from an entry to its order, and a list of entries on the order's page."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

from django_vt import hooks
from django_vt.admin.explain import Story, local
from django_vt.admin.lookup import BY_ID
from django_vt.conf import settings
from django_vt.discretion import discreetly
from django_vt.events import CONFIRMATION, event_name
from django_vt.models import SendLogEntry, functions
from django_vt.operations.sending_state import SendingState

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = object

logger = logging.getLogger(__name__)

SHOWN = 5
MAY_SEE_THE_LOG = "django_vt.view_sendlogentry"
# A link may lead to a page of this site or to an http URL, but not to a scheme that runs a script.
LINK = re.compile(r"(?:https?://|/(?!/))[^\s\"'<>\\]{0,2000}", re.ASCII)


def order_url(entry: SendLogEntry) -> str:
    """The URL of the order's page in the shop, from ORDER_URL; empty if there is none.

    If the shop's function fails, the link is missing but the page still opens.
    """
    if settings.ORDER_URL is None or entry.event_type != CONFIRMATION or not entry.reference:
        return ""
    try:
        with transaction.atomic(using=entry._state.db):
            address = hooks.ask(settings.ORDER_URL, entry.reference)
    except Exception as error:  # noqa: BLE001 - the shop has written it
        logger.warning("ORDER_URL raised %s: the page of an entry shows no link to its order", type(error).__name__)
        return ""
    return address if isinstance(address, str) and LINK.fullmatch(address) else ""


@dataclass(frozen=True)
class OrderEntry:
    """An entry in a few words. `url`: its page in the admin; empty if the user may not see the send log."""

    words: str
    status: str
    status_words: str
    why: str
    url: str


def entries_of_order(order_id: object, user: Any) -> list[OrderEntry] | None:
    """The newest entries of an order, for staff who work on orders; None if the send log cannot be read.

    They show what became of the order and why, but no personal data.
    """
    entries = SendLogEntry.objects.all()
    try:
        with transaction.atomic(using=entries.db):
            ids = functions.first_ids(entries.filter(reference=str(order_id)), by=BY_ID, most=SHOWN)
            if not ids:
                return []
            rows = list(entries.filter(pk__in=ids).order_by(*BY_ID))
            sending = SendingState.seen_on(entries.db)
    except DatabaseError as error:
        logger.error("The send log could not be read for an order's page: %s", type(error).__name__)
        return None
    may_see = bool(user is not None and user.has_perm(MAY_SEE_THE_LOG))
    return [_entry(row, sending, may_see=may_see) for row in rows]


def _entry(entry: SendLogEntry, sending: SendingState, *, may_see: bool) -> OrderEntry:
    words = f"{local(entry.created_at)} {event_name(entry.event_type)}"
    why = Story(entry, sending).why()
    return OrderEntry(words, entry.status, entry.get_status_display(), why, _url(entry) if may_see else "")


def _url(entry: SendLogEntry) -> str:
    try:
        return reverse("admin:django_vt_sendlogentry_change", args=[entry.pk])
    except NoReverseMatch:  # a project without Django's admin in its URLs
        return ""


class OrderEntries(ModelAdmin):
    """A mixin for the `ModelAdmin` of the shop's orders: shows an order's entries on its page.

    `order_number(order)` must return what was passed as `order_id`. By default it is the order's `number`, or its
    primary key if it has no `number`.
    """

    change_form_template = "admin/django_vt/order_change_form.html"

    def order_number(self, order: Any) -> str:
        """The order's id, as it was passed to `order_placed`."""
        return str(getattr(order, "number", order.pk))

    @discreetly
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Render Django's form, with the order's number for the template."""
        order = context.get("original")
        context["vt_order_number"] = None if order is None else self.order_number(order)
        return super().render_change_form(request, context, *args, **kwargs)
