"""The page of one entry: the event, its life, the request that would carry it, and related entries."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from django_vt.accounts import only_account
from django_vt.admin import filters, lookup
from django_vt.admin.changelist import ANCHOR
from django_vt.admin.columns import Columns, status_label
from django_vt.admin.explain import Story, local
from django_vt.admin.order_page import order_url
from django_vt.admin.plain_words import plainly
from django_vt.admin.privacy import Viewer
from django_vt.conf import settings
from django_vt.events import event_name
from django_vt.models import SendAttempt, SendLogEntry, Status
from django_vt.operations.sending_state import SendingState
from django_vt.protocol import reasons
from django_vt.protocol.packing import Packing
from django_vt.protocol.payloads import indented


def url(entry: SendLogEntry, payload: str) -> str:
    """The readable URL of a request that carries only this entry, with this payload; empty without a payload."""
    if not payload:
        return ""
    draft = copy.copy(entry)
    draft.payload = payload
    draft.account_id = entry.account_id or only_account()
    packing = Packing(settings.ENDPOINT, settings.CALLBACK, settings.BATCH_SIZE, settings.MAX_URL_LENGTH)
    (request,) = packing.pack([draft])
    return unquote_plus(request.url)


# Entries that share a reference or an identity with an entry.

SHOWN = 5


@dataclass(frozen=True)
class Neighbour:
    """A related entry."""

    pk: int
    when: str
    words: str
    status: str
    status_words: str


@dataclass(frozen=True)
class Neighbourhood:
    """The related entries of one kind: what they share, in words; the newest; and the query that lists all."""

    words: str
    query: str
    entries: list[Neighbour]


def neighbourhoods(entry: SendLogEntry, viewer: Viewer, using: str) -> list[Neighbourhood]:
    """The entries with the same reference, and those with the same identity, if there are any: up to five queries."""
    found = (_neighbourhood(what, entry, viewer, using) for what in SHARED)
    return [each for each in found if each.entries]


SHARED = {
    lookup.REFERENCE: lambda: _("Same reference"),
    lookup.IDENTITY: lambda: _("Same identity"),
}


def _neighbourhood(what: str, entry: SendLogEntry, viewer: Viewer, using: str) -> Neighbourhood:
    entries = SendLogEntry.objects.using(using)
    same = set(lookup.having(what, entry, entries.all(), most=SHOWN + 1)) - {entry.pk}
    others = entries.filter(pk__in=same).order_by("-pk")[:SHOWN] if same else ()
    return Neighbourhood(
        words=SHARED[what](),
        query=f"?{lookup.PARAMETER}={what}:{entry.pk}{ANCHOR}",
        entries=[_neighbour(other, viewer) for other in others],
    )


def _neighbour(entry: SendLogEntry, viewer: Viewer) -> Neighbour:
    return Neighbour(entry.pk, local(entry.created_at), viewer.name(entry), entry.status, entry.get_status_display())


# The life of an entry: recorded, each failed attempt, and how it ended or goes on.

# An outage can leave hundreds of attempts; the last ones show what is wrong.
MOST_ATTEMPTS = 50


@dataclass(frozen=True)
class Moment:
    """Something that happened or will happen. `kind` is `recorded`, `attempt`, `sent` or `next`; `at` may be empty."""

    kind: str
    at: str
    words: str
    exact: datetime | None = None


def timeline(story: Story, using: str) -> list[Moment]:
    """The moments of an entry's life, oldest first: one query."""
    entry = story.entry
    return [_moment("recorded", entry.created_at, _("Recorded")), *_attempts(entry, using), *_end(story)]


def _attempts(entry: SendLogEntry, using: str) -> Iterator[Moment]:
    newest = SendAttempt.objects.using(using).filter(entry_id=entry.pk).order_by("-pk")
    attempts = list(newest[: MOST_ATTEMPTS + 1])
    if len(attempts) > MOST_ATTEMPTS:
        words = ngettext(
            "Earlier failed attempts, of which the last %(count)d is shown",
            "Earlier failed attempts, of which the last %(count)d are shown",
            MOST_ATTEMPTS,
        )
        yield Moment("attempt", "", words % {"count": MOST_ATTEMPTS})
    for attempt in reversed(attempts[:MOST_ATTEMPTS]):
        yield _moment("attempt", attempt.at, plainly(attempt.reason).words)


def _end(story: Story) -> Iterator[Moment]:
    entry = story.entry
    if entry.status == Status.SENT and entry.sent_at:
        yield _moment("sent", entry.sent_at, plainly(entry.reason).words or _("Accepted by Vibetrace"))
    elif entry.status == Status.PENDING:
        yield Moment("next", local(due) if (due := entry.due_moment) else "", story.next(), due)
    else:
        yield Moment("next", "", story.happened())


def _moment(kind: str, at: datetime, words: str) -> Moment:
    return Moment(kind, local(at), words, at)


# The page of one entry, as the viewer may see it: rows of Django's own read-only form.

NONE = "-"
TEMPLATES = "admin/django_vt/sendlogentry/"


class EntryPage:
    """The page for one request: like the list's columns, it depends on the viewer and on the state of sending."""

    def __init__(self, viewer: Viewer, using: str, sending: Callable[[], SendingState]) -> None:
        self._viewer = viewer
        self._using = using
        self._sending = sending

    def fieldsets(self) -> list[tuple[Any, dict[str, Any]]]:
        """The rows, in groups."""
        account = [self.account] if len(filters.accounts(self._using)) > 1 else []
        return [
            (None, {"fields": [self.status, self.happened, self.next, self.details]}),
            (gettext_lazy("Event"), {"fields": [*account, self.event, self.reference, self.identity, self.payload]}),
            (gettext_lazy("Life"), {"fields": [self.timeline]}),
            (gettext_lazy("Request"), {"fields": [self.request]}),
            (gettext_lazy("Related entries"), {"fields": [self.neighbours]}),
        ]

    @admin.display(description=gettext_lazy("status"))
    def status(self, entry: SendLogEntry) -> SafeString:
        """The entry's status."""
        return status_label(entry)

    @admin.display(description=gettext_lazy("what happened"))
    def happened(self, entry: SendLogEntry) -> str:
        """The entry's past, in a sentence."""
        return self._story(entry).happened()

    @admin.display(description=gettext_lazy("what happens next"))
    def next(self, entry: SendLogEntry) -> str:
        """The entry's future, in a sentence."""
        return self._story(entry).next()

    @admin.display(description=gettext_lazy("for whoever looks after the site"))
    def details(self, entry: SendLogEntry) -> SafeString:
        """The technical details behind the sentences above."""
        context = {"entry": entry, "reason": reasons.describe(entry.reason), "overdue": self._story(entry).is_overdue}
        return render_to_string(f"{TEMPLATES}technical_details.html", context)

    @admin.display(description=gettext_lazy("account"))
    def account(self, entry: SendLogEntry) -> str:
        """The account of the shop."""
        return Columns(self._viewer, self._using, self._sending).account(entry) or NONE

    @admin.display(description=gettext_lazy("event"))
    def event(self, entry: SendLogEntry) -> str:
        """The event's name."""
        return event_name(entry.event_type)

    @admin.display(description=gettext_lazy("reference"))
    def reference(self, entry: SendLogEntry) -> SafeString | str:
        """The reference, with a link to the order."""
        shown = self._viewer.reference(entry)
        address = order_url(entry) if shown == entry.reference else ""
        if not address:
            return shown or NONE
        return format_html('{} <a href="{}">{}</a>', shown, address, _("Open the order"))

    @admin.display(description=gettext_lazy("identity"))
    def identity(self, entry: SendLogEntry) -> str:
        """The identity that the event goes by."""
        return self._viewer.identity(entry) or NONE

    @admin.display(description=gettext_lazy("what it says"))
    def payload(self, entry: SendLogEntry) -> SafeString | str:
        """The event as readable JSON."""
        text = indented(self._viewer.payload(entry))
        # On a right-to-left page, JSON's brackets would be mirrored.
        if text:
            return format_html('<pre class="vt-code" dir="ltr">{}</pre>', text)
        return self._story(entry).absence() or NONE

    @admin.display(description=gettext_lazy("timeline"))
    def timeline(self, entry: SendLogEntry) -> SafeString:
        """The moments of the entry's life."""
        return render_to_string(f"{TEMPLATES}timeline.html", {"moments": timeline(self._story(entry), self._using)})

    @admin.display(description=gettext_lazy("as it goes out"))
    def request(self, entry: SendLogEntry) -> SafeString | str:
        """The request, masked; viewers who may see people can also show it unmasked."""
        context = {
            "masked": url(entry, self._viewer.masked_payload(entry)),
            "unmasked": url(entry, entry.payload) if self._viewer.sees_people else "",
        }
        return render_to_string(f"{TEMPLATES}request.html", context) if entry.payload else NONE

    @admin.display(description=gettext_lazy("entries"))
    def neighbours(self, entry: SendLogEntry) -> SafeString | str:
        """The entries with the same reference or identity."""
        found = neighbourhoods(entry, self._viewer, self._using)
        return render_to_string(f"{TEMPLATES}neighbours.html", {"neighbourhoods": found}) if found else NONE

    def _story(self, entry: SendLogEntry) -> Story:
        return Story(entry, self._sending())
