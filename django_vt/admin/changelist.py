"""The list itself: what Django's own does, with a title, and with a count that says where it is not exact."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# Where Django's page has the list. The overview stands above it: who follows a figure is to see the entries at once.
ANCHOR = "#changelist"


class SendLogChangeList(ChangeList):
    """The list of entries, newest first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("Send log")

    @property
    def in_words(self) -> Worded:
        """The list for Django's own pagination template, which writes the count."""
        return Worded(self)


class Worded:
    """A list whose count is in words, `more than 10,000` where it was not counted to its end."""

    def __init__(self, changelist: SendLogChangeList) -> None:
        self._changelist = changelist
        self.result_count = changelist.paginator.found_in_words()
        entries = ngettext("entry", "entries", changelist.result_count)
        self.opts = SimpleNamespace(verbose_name=entries, verbose_name_plural=entries)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._changelist, name)
