"""The page of one entry, as one viewer may see it: rows of Django's own read-only form."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_vt.admin import outgoing
from django_vt.admin.columns import status_label
from django_vt.admin.neighbours import neighbourhoods
from django_vt.admin.sending import Sending
from django_vt.admin.story import Story
from django_vt.admin.timeline import timeline
from django_vt.admin.viewer import Viewer, indented
from django_vt.models import SendLogEntry

NONE = "-"
TEMPLATES = "admin/django_vt/sendlogentry/"


class EntryPage:
    """Made anew for each request, for the same reasons as the list's columns."""

    def __init__(self, viewer: Viewer, using: str) -> None:
        self._viewer = viewer
        self._using = using

    def fieldsets(self) -> list[tuple[Any, dict[str, Any]]]:
        """The rows in their groups."""
        return [
            (None, {"fields": [self.status, self.happened, self.next]}),
            (_("Event"), {"fields": [self.type, self.reference, self.identity, self.payload]}),
            (_("Life"), {"fields": [self.timeline]}),
            (_("Request"), {"fields": [self.request]}),
            (_("Related entries"), {"fields": [self.neighbours]}),
        ]

    @admin.display(description=_("status"))
    def status(self, entry: SendLogEntry) -> SafeString:
        """Where it stands."""
        return status_label(entry)

    @admin.display(description=_("what happened"))
    def happened(self, entry: SendLogEntry) -> str:
        """The past in a sentence."""
        return self._story(entry).happened()

    @admin.display(description=_("what happens next"))
    def next(self, entry: SendLogEntry) -> str:
        """The future in a sentence."""
        return self._story(entry).next()

    @admin.display(description=_("type"))
    def type(self, entry: SendLogEntry) -> str:
        """The vendor's event type."""
        return entry.event_type

    @admin.display(description=_("reference"))
    def reference(self, entry: SendLogEntry) -> str:
        """What the shop calls it."""
        return self._viewer.reference(entry) or NONE

    @admin.display(description=_("identity"))
    def identity(self, entry: SendLogEntry) -> str:
        """Whose it is."""
        return self._viewer.identity(entry) or NONE

    @admin.display(description=_("payload"))
    def payload(self, entry: SendLogEntry) -> SafeString | str:
        """The event as readable JSON."""
        text = indented(self._viewer.payload(entry))
        # A bidirectional page would turn JSON's brackets around.
        if text:
            return format_html('<pre class="vt-code" dir="ltr">{}</pre>', text)
        return self._story(entry).absence() or NONE

    @admin.display(description=_("timeline"))
    def timeline(self, entry: SendLogEntry) -> SafeString:
        """All moments of its life."""
        return render_to_string(f"{TEMPLATES}timeline.html", {"moments": timeline(self._story(entry), self._using)})

    @admin.display(description=_("as it goes out"))
    def request(self, entry: SendLogEntry) -> SafeString | str:
        """The request; for those who may see people, unmasked where they ask for it."""
        context = {
            "masked": outgoing.url(entry, self._viewer.masked_payload(entry)),
            "unmasked": outgoing.url(entry, entry.payload) if self._viewer.sees_people else "",
        }
        return render_to_string(f"{TEMPLATES}request.html", context) if entry.payload else NONE

    @admin.display(description=_("entries"))
    def neighbours(self, entry: SendLogEntry) -> SafeString | str:
        """Those with the same reference or identity."""
        found = neighbourhoods(entry, self._viewer, self._using)
        return render_to_string(f"{TEMPLATES}neighbours.html", {"neighbourhoods": found}) if found else NONE

    def _story(self, entry: SendLogEntry) -> Story:
        return Story(entry, self._sending)

    @cached_property
    def _sending(self) -> Sending:
        return Sending.seen_on(self._using)
