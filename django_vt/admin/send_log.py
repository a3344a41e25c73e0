"""The send log in Django's admin: read-only, except for sending again and skipping."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from django_vt.accounts import is_known
from django_vt.admin import filters, unseen
from django_vt.admin.actions import Views
from django_vt.admin.changelist import BoundedPaginator, SendLogChangeList
from django_vt.admin.columns import Columns
from django_vt.admin.entry_page import EntryPage
from django_vt.admin.explain import sending_seen_by
from django_vt.admin.export import Export
from django_vt.admin.overview import Overview
from django_vt.admin.person import Person
from django_vt.admin.privacy import MAY_RESEND, Viewer, answered_discreetly
from django_vt.admin.unreported import UnreportedOrders
from django_vt.models import SendLogEntry, functions
from django_vt.models.db import default_alias

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[SendLogEntry]
else:
    ModelAdmin = admin.ModelAdmin

# The actions that can be applied to all listed entries, with their labels.
FOR_ALL = {"send_again": _("Send all again that are shown"), "export": _("Download all that are shown as CSV")}
ID_PATTERN = re.compile(r"[0-9]{1,18}", re.ASCII)


@admin.register(SendLogEntry)
class SendLogEntryAdmin(ModelAdmin):
    """The list, the page and the actions. None counts or scans the table; an index serves every condition and order."""

    class Media:
        css = {"all": ["django_vt/admin.css"]}

    actions = ("send_again", "export", "skip")
    list_filter = filters.FILTERS
    list_per_page = 50
    ordering = ("-created_at",)
    paginator = BoundedPaginator
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody may add: entries are recorded."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: SendLogEntry | None = None) -> bool:
        """Nobody may edit: only the delivery and the operations change entries."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SendLogEntry | None = None) -> bool:
        """Nobody may delete: `purge_send_log` deletes old entries."""
        return False

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whether the user may send again, hold and release: needs this permission and the one to see the log."""
        return self.has_view_permission(request) and request.user.has_perm(MAY_RESEND)

    def has_skip_permission(self, request: HttpRequest) -> bool:
        """Whether the user may skip: who may resend, if there is an account that the settings do not name."""
        is_wanted = not all(is_known(account_id) for account_id in filters.accounts(default_alias()))
        return is_wanted and self.has_resend_permission(request)

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Django's own. Its first page asks for them to list the models: there a line tells what has failed."""
        permissions = super().get_model_perms(request)
        if permissions["view"]:
            unseen.tell(request, self.admin_site.name, self.get_queryset(request).db)
        return permissions

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only the filters' parameters. `?identity__startswith=`, say, would reveal masked data."""
        return lookup in filters.PARAMETERS

    def get_urls(self) -> list[URLPattern]:
        """Django's URLs and the six of the send log."""
        views, unreported, wrap = Views(self), UnreportedOrders(self), self.admin_site.admin_view
        patterns = [
            path("search/", wrap(views.search), name="django_vt_sendlogentry_search"),
            path("resend/", wrap(views.resend), name="django_vt_sendlogentry_resend"),
            path("hold/", wrap(views.hold), name="django_vt_sendlogentry_hold"),
            path("person/", wrap(Person(self).person), name="django_vt_sendlogentry_person"),
            path("unreported/", wrap(unreported.unreported), name="django_vt_sendlogentry_unreported"),
            path("skip/", wrap(views.skip), name="django_vt_sendlogentry_skip"),
            *super().get_urls(),
        ]
        for pattern in patterns:
            pattern.callback = answered_discreetly(pattern.callback)
        return patterns

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SendLogChangeList]:
        """The bounded change list."""
        return SendLogChangeList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns as this viewer may see them."""
        using = self.get_queryset(request).db
        return Columns(Viewer.of(request), using, partial(sending_seen_by, request, using)).shown()

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> list[Any]:
        """Link the time to the entry: unlike the status, it differs between entries."""
        return [column for column in list_display if column.__name__ == Columns.when.__name__]

    def get_fieldsets(self, request: HttpRequest, obj: SendLogEntry | None = None) -> Any:
        """The page as this viewer may see it."""
        using = self.get_queryset(request).db
        return EntryPage(Viewer.of(request), using, partial(sending_seen_by, request, using)).fieldsets()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the overview above it."""
        if request.method != "GET" or not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        if SEARCH_VAR in request.GET:
            return self._without_search(request)
        using = self.get_queryset(request).db
        overview = Overview.of(request.GET, sending_seen_by(request, using), using)
        unseen.look(request)
        context = {"overview": overview, "may_resend": self.has_resend_permission(request)}
        context["sees_people"] = Viewer.of(request).sees_people
        context["for_all"] = self._for_all(request)
        context["query"] = f"?{request.GET.urlencode()}"
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def _without_search(self, request: HttpRequest) -> HttpResponse:
        """Redirect a link with a search, as other lists have, to the list: a URL must not hold an address."""
        query = request.GET.copy()
        del query[SEARCH_VAR]
        messages.info(request, _("A link cannot look anything up here. Type it into the search."))
        return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")

    def _for_all(self, request: HttpRequest) -> list[tuple[str, str]]:
        """Those of `FOR_ALL` that this viewer may use; without a filter, not sending all entries again."""
        is_filtered = any(request.GET.get(name) for name in filters.PARAMETERS)
        names = self.get_actions(request).keys() - (set() if is_filtered else {"send_again"})
        return [(name, str(label)) for name, label in FOR_ALL.items() if name in names]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of an entry, with its button if there is something to send."""
        entry: SendLogEntry | None = context["original"]
        can_be_sent = bool(entry and entry.payload and entry.identity)
        context["may_resend"] = can_be_sent and self.has_resend_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[SendLogEntry], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Check that the selected ids are numbers, which Django does not: it would fail."""
        if not all(ID_PATTERN.fullmatch(pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest("selected ids are numbers")
        return super().response_action(request, queryset, *args, **kwargs)

    @admin.action(description=_("Download selected entries as CSV"), permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> HttpResponseBase:
        """Download the entries as they are shown."""
        return Export(request, queryset).response()

    @admin.action(description=_("Skip selected entries of accounts not in the settings"), permissions=["skip"])
    def skip(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> HttpResponse:
        """Show the page that asks first."""
        return Views(self).ask_to_skip(request, sorted(queryset.values_list("pk", flat=True)[: functions.LIMIT]))

    @admin.action(description=_("Send selected entries again"), permissions=["resend"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> HttpResponse:
        """Show the page that asks first."""
        first = queryset.values_list("pk", flat=True)[: functions.LIMIT]
        return Views(self).ask_to_resend(request, sorted(first))
