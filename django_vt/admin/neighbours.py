"""Entries that share a reference or an identity with an entry."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from django_vt.admin import lookup
from django_vt.admin.changelist import ANCHOR
from django_vt.admin.story import local
from django_vt.admin.viewer import Viewer
from django_vt.models import SendLogEntry

SHOWN = 5


@dataclass(frozen=True)
class Neighbour:
    """One of them."""

    pk: int
    when: str
    words: str
    status: str
    status_words: str


@dataclass(frozen=True)
class Neighbourhood:
    """What they share in words, the newest of them, and the query of the list of all."""

    words: str
    query: str
    entries: list[Neighbour]


def neighbourhoods(entry: SendLogEntry, viewer: Viewer, using: str) -> list[Neighbourhood]:
    """Those with the same reference, and those with the same identity, where there are any: up to five queries."""
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
    words = f"{entry.event_type} {viewer.reference(entry)}".strip()
    return Neighbour(entry.pk, local(entry.created_at), words, entry.status, entry.get_status_display())
