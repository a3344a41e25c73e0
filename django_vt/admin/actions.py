"""The admin's own pages: search, send again, skip, hold and release. Each act is noted in the admin's history."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import django
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from django_vt.accounts import is_known
from django_vt.admin import explain, filters, lookup
from django_vt.admin.changelist import ANCHOR, in_words
from django_vt.admin.plain_words import Reason, plainly
from django_vt.admin.privacy import Viewer
from django_vt.models import Endpoint, SendLogEntry, functions
from django_vt.models.db import default_alias
from django_vt.operations import resending, sending_state, strangers
from django_vt.operations.figures import PERIOD_OF
from django_vt.operations.sending_state import SendingState
from django_vt.operations.strangers import accounts_on
from django_vt.protocol import reasons
from django_vt.recording import record

if TYPE_CHECKING:
    from django_vt.admin.send_log import SendLogEntryAdmin


def note(request: HttpRequest, objects: Sequence[models.Model], words: str) -> None:
    """Add a line to each object's history, by the user of the request."""
    user_id: Any = request.user.pk
    LogEntry.objects.log_actions(user_id, objects, CHANGE, words)


# Reading the ids of entries from a form, and queueing them to be sent again.

IDS_PATTERN = re.compile(r"[0-9]{1,18}(,[0-9]{1,18})*", re.ASCII)


def parse_ids(text: str) -> list[int] | None:
    """The ids in a form's field, as `join_ids` writes it; None for any other text, and for more ids than the limit."""
    if not IDS_PATTERN.fullmatch(text):
        return None
    ids = sorted({int(part) for part in text.split(",")})
    return ids if len(ids) <= functions.LIMIT else None


def join_ids(ids: Sequence[int]) -> str:
    """Ids for one field of a form, because Django refuses forms with more than a thousand fields."""
    return ",".join(map(str, ids))


def queue(ids: Sequence[int], request: HttpRequest, using: str, account_id: str) -> int:
    """Queue entries, with a line in each one's history; returns how many. Entries that a worker holds are left."""
    with transaction.atomic(using=using):
        queued = resending.queue(ids, using, account_id)
        note(request, queued, _("Queued to be sent again."))
    return len(queued)


# The views, which act on POST only.

TEMPLATES = "admin/django_vt/sendlogentry/"
LIST, CHANGE_PAGE = "django_vt_sendlogentry_changelist", "django_vt_sendlogentry_change"
LISTED = 10
BREADCRUMBS_ARE_A_LIST = (6, 1)


MISSING = {
    True: gettext_lazy("No entry has this reference, identity or e-mail address."),
    False: gettext_lazy("No entry has this reference."),
}


FOUND: dict[str, Callable[[int], str]] = {
    lookup.REFERENCE: lambda count: ngettext(
        "%(count)s entry has the reference %(reference)s.", "%(count)s entries have the reference %(reference)s.", count
    ),
    lookup.IDENTITY: lambda count: ngettext(
        "%(count)s entry is of this visitor.", "%(count)s entries are of this visitor.", count
    ),
    lookup.ADDRESS: lambda count: ngettext(
        "%(count)s entry has this e-mail address.", "%(count)s entries have this e-mail address.", count
    ),
}


def _told_missing(beginning: list[str]) -> str:
    if not beginning:
        return ""
    told = _(", ").join(beginning[: lookup.MOST_TOLD])
    if len(beginning) > lookup.MOST_TOLD:
        return _("No entry has exactly this reference. Many begin so: %(references)s …") % {"references": told}
    return _("No entry has exactly this reference. These begin so: %(references)s.") % {"references": told}


def _warnings(chosen: resending.Survey) -> list[tuple[int, Reason]]:
    """Reasons that do not pass by themselves, with the number of entries that have each; the commonest first."""
    counted = ((count, plainly(reason)) for reason, count in chosen.reasons.most_common())
    return [(count, reason) for count, reason in counted if reason.advice and not reason.passes][:LISTED]


class Views:
    """The views of one admin site, wrapped in its `admin_view`, which requires staff and the CSRF token."""

    def __init__(self, model_admin: SendLogEntryAdmin) -> None:
        self._admin = model_admin
        self._site = model_admin.admin_site

    def search(self, request: HttpRequest) -> HttpResponse:
        """Look up the text that was typed, and redirect to a URL with an entry's number and nothing of the text."""
        if not self._admin.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._back()
        text, viewer, entries = request.POST.get("text", ""), Viewer.of(request), self._admin.get_queryset(request)
        found = lookup.find(text, entries, viewer)
        beginning = [] if found else lookup.beginning(text, entries, viewer)
        if len(beginning) == 1:
            found = lookup.find(beginning[0], entries, viewer)
        if found is None:
            if text.strip():
                messages.warning(request, _told_missing(beginning) or MISSING[viewer.sees_people])
            return HttpResponseRedirect(self._url(LIST))
        return self._show_found(request, found, entries)

    def _show_found(self, request: HttpRequest, found: str, entries: QuerySet[SendLogEntry]) -> HttpResponse:
        """Show the entry if there is only one; otherwise the list of the entries, and their number."""
        what, number = lookup.PATTERN.fullmatch(found).groups()  # type: ignore[union-attr]
        entry = entries.get(pk=number)
        ids = lookup.having(what, entry, entries.all())
        if len(ids) == 1:
            return HttpResponseRedirect(self._url(CHANGE_PAGE, ids[0]))
        words = FOUND[what](len(ids)) % {"count": in_words(len(ids)), "reference": Viewer.of(request).reference(entry)}
        messages.info(request, words)
        return HttpResponseRedirect(f"{self._url(LIST)}?{lookup.PARAMETER}={found}{ANCHOR}")

    def resend(self, request: HttpRequest) -> HttpResponse:
        """Ask whether to send these entries again; once confirmed, queue them."""
        refused = self._refuse(request)
        if refused is not None:
            return refused
        ids = self._ids(request)
        if request.POST.get("confirmed") != "yes":
            return self.ask_to_resend(request, ids, **self._reason(request))
        account_id = self._account(request)
        chosen = resending.survey(ids, default_alias(), account_id)
        queued = queue(chosen.sendable, request, default_alias(), account_id)
        filters.forget()
        self._tell_queued(request, queued, len(ids) - queued)
        return HttpResponseRedirect(self._url(CHANGE_PAGE, ids[0]) if len(ids) == 1 else self._url(LIST))

    def ask_to_resend(self, request: HttpRequest, ids: list[int], **why_these: Any) -> HttpResponse:
        """The page that says what sending them again will do. `why_these`: the failure that they have in common."""
        chosen = resending.survey(ids, default_alias())
        viewer, sending = Viewer.of(request), SendingState.seen_on(default_alias())
        first = SendLogEntry.objects.using(default_alias()).filter(pk__in=chosen.sendable[:LISTED]).order_by("pk")
        return self._page(
            request,
            "resend_confirmation.html",
            title=_("Send again?"),
            chosen=chosen,
            ids=join_ids(ids),
            listed=[(entry, viewer.name(entry)) for entry in first],
            unlisted=max(0, len(chosen.sendable) - LISTED),
            sending=sending,
            sentences=explain.sentences(sending),
            limit_reached=len(ids) >= functions.LIMIT,
            accounts=[name for name in filters.accounts(default_alias()) if is_known(name)],
            warnings=_warnings(chosen),
            **why_these,
        )

    def skip(self, request: HttpRequest) -> HttpResponse:
        """Ask whether to skip these entries; once confirmed, skip them."""
        refused = self._refuse(request)
        if refused is not None:
            return refused
        ids = self._ids(request)
        if request.POST.get("confirmed") != "yes":
            return self.ask_to_skip(request, ids)
        using = default_alias()
        with transaction.atomic(using=using):
            skipped = strangers.skip(ids, using)
            rows = SendLogEntry.objects.using(using).filter(pk__in=skipped).only(*resending.NAMED)
            note(request, list(rows), _("Skipped."))
        filters.forget()
        words = ngettext("%(count)s entry was skipped.", "%(count)s entries were skipped.", len(skipped))
        messages.success(request, words % {"count": in_words(len(skipped))})
        return HttpResponseRedirect(self._url(LIST))

    def ask_to_skip(self, request: HttpRequest, ids: list[int]) -> HttpResponse:
        """The page that says what skipping them will do."""
        chosen = strangers.of_strangers(ids, default_alias())
        title, left = _("Skip?"), len(ids) - len(chosen)
        return self._page(
            request, "skip_confirmation.html", title=title, chosen=chosen, left=left, ids=join_ids(chosen)
        )

    def hold(self, request: HttpRequest) -> HttpResponse:
        """Ask whether to hold sending (`held=yes`) or to release it (`held=no`); once confirmed, do it."""
        refused = self._refuse(request)
        if refused is not None:
            return refused
        wanted = request.POST.get("held")
        if wanted not in {"yes", "no"}:
            raise BadRequest("held is yes or no")
        account_id = self._account(request)
        if request.POST.get("confirmed") != "yes":
            title = _("Hold sending?") if wanted == "yes" else _("Release sending?")
            return self._page(request, "hold_confirmation.html", title=title, wanted=wanted, account=account_id)
        self._set_held(request, account_id, held=wanted == "yes")
        return HttpResponseRedirect(self._url(LIST))

    def _refuse(self, request: HttpRequest) -> HttpResponse | None:
        if not self._admin.has_resend_permission(request):
            raise PermissionDenied
        return None if request.method == "POST" else self._back()

    def _back(self) -> HttpResponse:
        """Redirect to the list. If the session ended before a button was pressed, the login page leads here by GET."""
        return HttpResponseRedirect(self._url(LIST))

    def _account(self, request: HttpRequest) -> str:
        """The account that a form names; empty if it names none."""
        account_id = request.POST.get("account", "")
        if account_id and account_id not in accounts_on(default_alias()):
            raise BadRequest("no such account")
        return account_id

    def _ids(self, request: HttpRequest) -> list[int]:
        """The ids of the entries that a form names, or of those that failed for the reason that it names."""
        if "reason" in request.POST:
            return self._failed_for(request.POST["reason"], request.POST.get(filters.PARAMETER, ""))
        ids = parse_ids(request.POST.get("ids", ""))
        if ids is None:
            raise BadRequest("ids are numbers with commas between them")
        return ids

    def _reason(self, request: HttpRequest) -> dict[str, Any]:
        """The reason and the period, in words, if the entries were chosen by these."""
        if "reason" not in request.POST:
            return {}
        words = filters.WORDS_OF_PERIOD[request.POST[filters.PARAMETER]]
        return {"reason": plainly(request.POST["reason"]).words, "period": words}

    def _failed_for(self, reason: str, period_key: str) -> list[int]:
        period = PERIOD_OF.get(period_key)
        if period is None or reasons.split(reason)[0] not in reasons.CODES:
            raise BadRequest("no such reason or period")
        return resending.failed_for(reason, period.start(), default_alias())

    def _tell_queued(self, request: HttpRequest, queued: int, left: int) -> None:
        if queued:
            words = ngettext(
                "%(count)s entry is queued to be sent again.", "%(count)s entries are queued to be sent again.", queued
            )
            messages.success(request, words % {"count": in_words(queued)})
        if left:
            words = ngettext("%(count)s entry was left as it was.", "%(count)s entries were left as they were.", left)
            messages.warning(request, words % {"count": in_words(left)})

    def _set_held(self, request: HttpRequest, account_id: str, *, held: bool) -> None:
        using = default_alias()
        with transaction.atomic(using=using):
            if held:
                sending_state.hold(using, account_id)
            else:
                sending_state.release(using, account_id)
                record.wake_after_commit(using)
            words = _("Sending held.") if held else _("Sending released.")
            its = {"account_id": account_id} if account_id else {}
            note(request, list(Endpoint.objects.using(using).filter(**its)), words)
        messages.success(request, words)

    def _page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        request.current_app = self._site.name
        whole = {
            **self._site.each_context(request),
            "opts": SendLogEntry._meta,
            "breadcrumbs_are_a_list": django.VERSION >= BREADCRUMBS_ARE_A_LIST,
            **context,
        }
        return TemplateResponse(request, TEMPLATES + template, whole)

    def _url(self, name: str, *args: Any) -> str:
        return reverse(f"admin:{name}", args=args, current_app=self._site.name)
