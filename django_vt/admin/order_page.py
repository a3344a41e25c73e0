"""The way between an order and its entries: a link to the one, a list of the others on the order's own page."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

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
# What a link may lead to: a page of this site, or one by http. No browser runs it as a script.
LINK = re.compile(r"(?:https?://|/(?!/))[^\s\"'<>\\]{0,2000}", re.ASCII)


def order_url(entry: SendLogEntry) -> str:
    """The address of the shop's own page of an order, as ORDER_URL has it; empty where there is none.

    A function of the shop's that fails costs the link, and not the page.
    """
    if settings.ORDER_URL is None or entry.event_type != CONFIRMATION or not entry.reference:
        return ""
    try:
        with transaction.atomic(using=entry._state.db):
            address = import_string(settings.ORDER_URL)(entry.reference)
    except Exception as error:  # noqa: BLE001 - the shop has written it
        logger.warning("ORDER_URL raised %s: the page of an entry shows no link to its order", type(error).__name__)
        return ""
    return address if isinstance(address, str) and LINK.fullmatch(address) else ""


@dataclass(frozen=True)
class OrderEntry:
    """An entry in a few words. `url`: its page in the admin; empty for who may not see the send log."""

    words: str
    status: str
    status_words: str
    why: str
    url: str


def entries_of_order(order_id: object, user: Any) -> list[OrderEntry] | None:
    """The newest entries of an order, as one who works on orders may see them; None where the send log fails.

    It says nothing of a person: what became of the order, and why.
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
    """Beside `ModelAdmin`, for the shop's orders: what became of each is shown on its page.

    `order_number(order)` is what was passed as `order_id`: the order's `number`, unless that is said otherwise, or its
    primary key where it has none.
    """

    change_form_template = "admin/django_vt/order_change_form.html"

    def order_number(self, order: Any) -> str:
        """The order's id, as it was passed to `order_placed`."""
        return str(getattr(order, "number", order.pk))

    @discreetly
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Django's own, with the number of the order for the template."""
        order = context.get("original")
        context["vt_order_number"] = None if order is None else self.order_number(order)
        return super().render_change_form(request, context, *args, **kwargs)
