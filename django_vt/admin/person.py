"""The page for the data of a person who asks for them, or wants to be forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from django_vt.admin import filters
from django_vt.admin.actions import Views, note
from django_vt.admin.changelist import in_words
from django_vt.admin.explain import local
from django_vt.admin.privacy import MAY_FORGET, Viewer
from django_vt.exceptions import InvalidField
from django_vt.models import SendLogEntry, Status, functions
from django_vt.models.db import default_alias
from django_vt.operations import exporting, resending
from django_vt.operations.forgetting import Forgetting
from django_vt.operations.shopper import Shopper, ids_on
from django_vt.protocol.payloads import readable

PAGE = "django_vt_sendlogentry_person"
WAYS = {
    "address": gettext_lazy("E-mail address"),
    "pixel": gettext_lazy("Cookie _vt_user, or the user id that it begins with"),
    "vtsid": gettext_lazy("Cookie _vtsid"),
}
WRONG = {
    "address": gettext_lazy("This is no e-mail address."),
    "pixel": gettext_lazy("This is neither the value of the cookie _vt_user nor the user id before its first _."),
    "vtsid": gettext_lazy("This is not the value of the cookie _vtsid."),
}
# Searching the texts of a longer log takes too long for a page; the command searches them.
MOST_SEARCHED = 100_000


@dataclass(frozen=True)
class Asked:
    """The person that a form names, and by which of `WAYS`."""

    way: str
    text: str

    @classmethod
    def of(cls, request: HttpRequest) -> Asked:
        """The person in the request's form."""
        way = request.POST.get("way", "")
        if way not in WAYS:
            raise BadRequest(f"way is one of {', '.join(WAYS)}")
        return cls(way, request.POST.get("text", "").strip())

    @cached_property
    def is_searched_whole(self) -> bool:
        """Whether the texts of all events are searched too: for an address, if the log is not too long."""
        return self.way == "address" and len(ids_on(SendLogEntry.objects.using(default_alias()))) <= MOST_SEARCHED

    def shopper(self) -> Shopper:
        """The shopper in the tables. Raises `InvalidField` if the text is no valid address or id."""
        return Shopper.known_by(default_alias(), texts=self.is_searched_whole, **{self.way: self.text})


class Person(Views):
    """The view: a GET shows the form; a POST shows, exports or forgets a person's data."""

    def person(self, request: HttpRequest) -> HttpResponse:
        """The page and its buttons."""
        if not self._may_look(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._show(request)
        acts = {"": self._look, "export": self._export, "forget": self._forget}
        act = acts.get(request.POST.get("act", ""))
        if act is None:
            raise BadRequest("act is export or forget")
        asked = Asked.of(request)
        try:
            shopper = asked.shopper()
        except InvalidField:
            messages.error(request, str(WRONG[asked.way]))
            return self._show(request, asked=asked)
        return act(request, asked, shopper)

    def _may_look(self, request: HttpRequest) -> bool:
        return self._admin.has_view_permission(request) and Viewer.of(request).sees_people

    def _may_forget(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAY_FORGET)

    def _look(self, request: HttpRequest, asked: Asked, shopper: Shopper) -> HttpResponse:
        held = Forgetting(shopper, default_alias())
        held.preview()
        return self._show(request, asked=asked, held=held, sentences=_told(held, asked))

    def _export(self, request: HttpRequest, asked: Asked, shopper: Shopper) -> HttpResponse:
        held = exporting.all_of(shopper, default_alias())
        ids = [row["id"] for row in held["entries"]]
        words = _("Exported, as the person asked what is held of them.")
        self._record(request, ids, words, len(held["remembered_identities"]))
        response = HttpResponse(readable(held), content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="person-{timezone.now():%Y-%m-%d}.json"'
        return response

    def _forget(self, request: HttpRequest, asked: Asked, shopper: Shopper) -> HttpResponse:
        if not self._may_forget(request):
            raise PermissionDenied
        if request.POST.get("typed", "").strip() != asked.text:
            messages.error(request, _("Nothing was forgotten: what you typed below is not the same as above."))
            return self._look(request, asked, shopper)
        forgetting = Forgetting(shopper, default_alias())
        forgetting.run()
        self._record(request, forgetting.ids, _("Forgotten, as the person asked for it."), forgetting.remembered)
        filters.forget()
        amount = _amount(len(forgetting.ids), forgetting.remembered)
        messages.success(request, _("Forgotten: %(amount)s.") % {"amount": amount})
        for sentence in _left(forgetting, asked):
            messages.warning(request, sentence)
        return HttpResponseRedirect(self._url(PAGE))

    def _record(self, request: HttpRequest, ids: list[int], words: str, remembered: int) -> None:
        """Note who did it: in the history of each entry, or of the newest LIMIT, and once with the numbers."""
        using = default_alias()
        newest = ids[-functions.LIMIT :]
        entries = SendLogEntry.objects.using(using).filter(pk__in=newest).only(*resending.NAMED)
        note(request, list(entries), words)
        user_id: Any = request.user.pk
        LogEntry.objects.create(
            user_id=user_id,
            content_type=ContentType.objects.get_for_model(SendLogEntry),
            object_repr=f"{words} ({_amount(len(ids), remembered)})",
            action_flag=CHANGE,
        )

    def _show(self, request: HttpRequest, **found: Any) -> HttpResponse:
        return self._page(
            request,
            "person.html",
            title=_("A person's data"),
            ways=WAYS.items(),
            may_forget=self._may_forget(request),
            **found,
        )


def _amount(entries: int, remembered: int) -> str:
    """The amount in words: `3 entries, 1 remembered identity`."""
    of_entries = ngettext("%(count)s entry", "%(count)s entries", entries) % {"count": in_words(entries)}
    words = ngettext("%(count)s remembered identity", "%(count)s remembered identities", remembered)
    return _("%(entries)s, %(remembered)s") % {
        "entries": of_entries,
        "remembered": words % {"count": in_words(remembered)},
    }


def _told(held: Forgetting, asked: Asked) -> list[str]:
    """A person's data in sentences, which claim nothing about texts that were not searched."""
    if not held.statuses and not held.remembered:
        return [_("Nothing was found."), *_left(held, asked), *_searched(asked)]
    labels = dict(Status.choices)
    statuses = (f"{in_words(held.statuses[status])} {labels[status]}" for status in Status if held.statuses[status])
    amount = _amount(held.statuses.total(), held.remembered)
    return [
        _("Held of this person: %(amount)s.") % {"amount": amount},
        *([_("The entries by status: %(statuses)s.") % {"statuses": _(", ").join(statuses)}] if held.statuses else []),
        *_left(held, asked),
    ]


def _searched(asked: Asked) -> list[str]:
    if not asked.is_searched_whole:
        return []
    return [
        _(
            "Searched were the identities, references and texts of all events, for the usual spellings of the address. "
            "What is written in yet another way is not found."
        )
    ]


def _left(held: Forgetting, asked: Asked) -> list[str]:
    """Sentences about data that is left out, or that may still be sent."""
    told = []
    if held.others:
        words = ngettext(
            "%(count)s entry of the same visitor holds another address, and is left out. "
            "If that is the same person's, look for it too.",
            "%(count)s entries of the same visitors hold another address, and are left out. "
            "If that is the same person's, look for it too.",
            held.others,
        )
        told.append(words % {"count": in_words(held.others)})
    if asked.way != "address":
        told.append(_("Only the visitor's identities were searched, not the texts of the events."))
    elif not asked.is_searched_whole:
        told.append(
            _(
                "The send log is too long for this page to search the texts of all events. The commands "
                "forget_shopper and export_shopper do."
            )
        )
    if held.in_hands_until is not None:
        words = _("Some of it is being sent right now: until %(time)s it may still reach Vibetrace.")
        told.append(words % {"time": local(held.in_hands_until)})
    return told
