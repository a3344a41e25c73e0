"""The columns of the list, as a viewer may see them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from django_vt.accounts import is_known
from django_vt.admin import filters
from django_vt.admin.explain import Story, local
from django_vt.admin.privacy import Viewer
from django_vt.events import event_name
from django_vt.models import SendLogEntry, Status
from django_vt.operations.sending_state import SendingState


def status_label(entry: SendLogEntry) -> SafeString:
    """The status as a coloured label."""
    return format_html('<span class="vt-status vt-{}">{}</span>', entry.status, entry.get_status_display())


class Columns:
    """The columns for one request: they depend on the viewer and on the state of sending."""

    def __init__(self, viewer: Viewer, using: str, sending: Callable[[], SendingState]) -> None:
        self._viewer = viewer
        self._using = using
        self._sending = sending

    def shown(self) -> list[object]:
        """The columns in the order of the list; the account only if there are several."""
        account = [self.account] if len(filters.accounts(self._using)) > 1 else []
        return [self.when, self.status, *account, self.event, self.why, self.identity]

    @admin.display(description=_("status"))
    def status(self, entry: SendLogEntry) -> SafeString:
        """The entry's status."""
        return status_label(entry)

    @admin.display(description=_("account"))
    def account(self, entry: SendLogEntry) -> str:
        """The account, and whether the settings still name it."""
        if not entry.account_id or is_known(entry.account_id):
            return entry.account_id
        return gettext("%(account)s (not in the settings)") % {"account": entry.account_id}

    @admin.display(description=_("event"))
    def event(self, entry: SendLogEntry) -> SafeString:
        """The event's name and reference, in one column to save width beside the menu and the filters."""
        words = '<span class="vt-type">{}</span> <span class="vt-reference">{}</span>'
        return format_html(words, event_name(entry.event_type), self._viewer.reference(entry))

    @admin.display(description=_("identity"))
    def identity(self, entry: SendLogEntry) -> str:
        """The identity that the event goes by."""
        return self._viewer.identity(entry)

    @admin.display(description=_("recorded at"), ordering="created_at")
    def when(self, entry: SendLogEntry) -> str:
        """When it was recorded. Only this column can be sorted by, because it has an index."""
        return local(entry.created_at)

    @admin.display(description=_("why"))
    def why(self, entry: SendLogEntry) -> str:
        """Why it is not sent, or not sent yet, and after how many attempts if the words do not say that."""
        words = Story(entry, self._sending()).why()
        if not entry.attempts or entry.status == Status.PENDING:
            return words
        attempts = ngettext("%(count)d attempt", "%(count)d attempts", entry.attempts) % {"count": entry.attempts}
        return format_html('{} <span class="vt-attempts">{}</span>', words, attempts)
