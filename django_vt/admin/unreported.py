"""The page of unreported orders: the result of the last look, a new look, and reporting the orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_vt.accounts import is_known
from django_vt.admin import filters
from django_vt.admin.actions import LISTED, Views, note
from django_vt.admin.explain import local
from django_vt.conf import settings
from django_vt.models import OrdersLook
from django_vt.models.db import default_alias
from django_vt.operations import durations
from django_vt.operations.unreported import Look, OrdersUnknown, are_known, last_look

PAGE = "django_vt_sendlogentry_unreported"
# How far the first look goes back; the same as the command's default.
FIRST = timedelta(days=7)


@dataclass(frozen=True)
class Told:
    """A look in words; `account` is empty for a look at all orders."""

    account: str
    words: str
    since: str


def looks(using: str) -> list[Told]:
    """The results of the last looks, cached for a minute; none if the shop's orders are not known."""
    if not are_known():
        return []
    rows = filters.for_a_minute(f"looks:{using}", lambda: list(OrdersLook.objects.using(using).order_by("account_id")))
    return [_told(row) for row in rows] or [Told("", _("Nobody has looked for unreported orders yet."), "")]


def _told(row: OrdersLook) -> Told:
    words = ngettext(
        "%(count)d order was unreported at the last look, %(time)s ago.",
        "%(count)d orders were unreported at the last look, %(time)s ago.",
        row.left,
    )
    ago = durations.in_words(max(timezone.now() - row.at, timedelta(0)))
    return Told(row.account_id, words % {"count": row.left, "time": ago}, local(row.since))


class UnreportedOrders(Views):
    """The view: a GET shows the last looks; a POST looks again and, if confirmed, reports the orders found."""

    def unreported(self, request: HttpRequest) -> HttpResponse:
        """The page and its two buttons."""
        if not self._admin.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._show(request)
        if not self._admin.has_resend_permission(request):
            raise PermissionDenied
        account_id = self._account(request)
        if account_id and not is_known(account_id):
            raise BadRequest("no such account")
        report = request.POST.get("confirmed") == "yes"
        if report and not settings.ENABLED:
            messages.error(request, _("Nothing was reported: recording is switched off in the settings."))
            return HttpResponseRedirect(self._url(PAGE))
        try:
            return self._look(request, account_id, report=report)
        except OrdersUnknown:
            words = _("The shop's orders could not be told. The command find_unreported_orders says why.")
            messages.error(request, words)
            return HttpResponseRedirect(self._url(PAGE))

    def _look(self, request: HttpRequest, account_id: str, *, report: bool) -> HttpResponse:
        using = default_alias()
        look = Look(_beginning(using, account_id), timezone.now(), report=report, using=using, account_id=account_id)
        found = look.run()
        listed = [order.order_id or _("an order whose number cannot be shown") for order in islice(found, LISTED)]
        for _order in found:
            pass
        filters.forget()
        if not report:
            told = {"listed": listed, "found": look.found, "unlisted": look.found - len(listed), "account": account_id}
            return self._show(request, is_new=True, **told)
        words = ngettext("%(count)d order was reported.", "%(count)d orders were reported.", look.reported)
        words = words % {"count": look.reported}
        row = last_look(using, account_id)
        note(request, [row] if row else [], words)
        messages.success(request, words)
        return HttpResponseRedirect(self._url(PAGE))

    def _show(self, request: HttpRequest, **found: Any) -> HttpResponse:
        accounts = [name for name in filters.accounts(default_alias()) if is_known(name)]
        return self._page(
            request,
            "unreported.html",
            title=_("Unreported orders"),
            looks=looks(default_alias()),
            accounts=accounts if len(accounts) > 1 else [],
            may_report=self._admin.has_resend_permission(request) and are_known(),
            **found,
        )


def _beginning(using: str, account_id: str) -> datetime:
    """The start of the new look: it goes as far back as the last one did."""
    row = last_look(using, account_id) or last_look(using)
    return timezone.now() - (row.at - row.since if row else FIRST)
