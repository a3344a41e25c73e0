"""The entries that a list shows as a CSV file, masked as the viewer sees them, however many they are."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from django_vt.admin import filters
from django_vt.admin.explain import local
from django_vt.admin.plain_words import plainly
from django_vt.admin.privacy import Viewer
from django_vt.discretion import discreetly
from django_vt.events import event_name
from django_vt.models import SendLogEntry, functions

AT_ONCE = 1000  # entries a query
# What a program for tables takes for the beginning of a formula, in full width too.
FORMULA = re.compile(r"[\s=+\-@|%\uff1d\uff0b\uff0d\uff20]")
# A filter's value that is said in the admin's history: nobody has typed an address there.
SAYABLE = re.compile(r"[\w :.,-]{1,60}", re.ASCII)
MARK = "\ufeff"  # by which such a program knows UTF-8


class Export:
    """Of what `queryset` holds, in the order of the list."""

    def __init__(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> None:
        self._request = request
        self._entries = queryset
        self._viewer = Viewer.of(request)
        # What is chosen by id is chosen already: no more than the limit, as in the list.
        self._are_chosen = bool(filters.BY_ID & request.GET.keys())
        self._rest: Q | None = None
        # The file is read when the request, and with it the reader's language and time zone, may be over.
        self._language, self._zone = get_language(), timezone.get_current_timezone()

    def response(self) -> StreamingHttpResponse:
        """The file, as it is read. That it was taken is in the admin's history."""
        self._record()
        response = StreamingHttpResponse(self._texts(), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="send-log-{timezone.now():%Y-%m-%d}.csv"'
        return response

    def _record(self) -> None:
        asked = [
            f"{name}={value}" if SAYABLE.fullmatch(str(value)) else name
            for name, value in sorted(self._request.GET.items())
            if name in filters.PARAMETERS and value
        ]
        user_id: Any = self._request.user.pk
        LogEntry.objects.create(
            user_id=user_id,
            content_type=ContentType.objects.get_for_model(SendLogEntry),
            object_repr=", ".join([_("Send log, downloaded as CSV"), *asked])[:200],
            action_flag=CHANGE,
        )

    def _texts(self) -> Iterator[str]:
        """The file, part by part. Nothing of an entry is in a variable here: this function waits while others run."""
        yield MARK + self._headings()
        if self._are_chosen:
            yield from self._chosen()
            return
        entries = self._entries.order_by(*functions.NEWEST_FIRST)
        rest: Q | None = Q()
        while rest is not None:
            yield self._text(entries.filter(rest)[:AT_ONCE])
            rest = self._rest

    def _chosen(self) -> Iterator[str]:
        ids = list(self._entries.values_list("pk", flat=True))
        entries = SendLogEntry.objects.using(self._entries.db).order_by(*functions.NEWEST_FIRST)
        for start in range(0, len(ids), AT_ONCE):
            yield self._text(entries.filter(pk__in=ids[start : start + AT_ONCE]))

    def _headings(self) -> str:
        with override(self._language):
            return _lines([_headings()])

    @discreetly
    def _text(self, part: QuerySet[SendLogEntry]) -> str:
        with override(self._language), timezone.override(self._zone):
            entries = list(part)
            self._rest = _after(entries[-1]) if len(entries) == AT_ONCE else None
            return _lines([self._row(entry) for entry in entries])

    def _row(self, entry: SendLogEntry) -> Sequence[str]:
        return [
            str(entry.pk), local(entry.created_at), str(entry.get_status_display()), entry.account_id,
            event_name(entry.event_type), self._viewer.reference(entry), self._viewer.identity(entry),
            plainly(entry.reason).words, str(entry.response_status or ""), str(entry.attempts),
            local(entry.sent_at) if entry.sent_at else "",
        ]  # fmt: skip


def _after(entry: SendLogEntry) -> Q:
    """What comes after an entry. The first condition is for the index: the second alone is not looked up in one."""
    older = Q(created_at__lt=entry.created_at) | Q(pk__lt=entry.pk)
    return Q(created_at__lte=entry.created_at) & older


def _headings() -> list[str]:
    return [
        _("number"), _("recorded at"), _("status"), _("account"), _("event"), _("reference"), _("identity"), _("why"),
        _("last answer"), _("attempts"), _("sent at"),
    ]  # fmt: skip


def _lines(rows: list[Sequence[str]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([[_defused(cell) for cell in row] for row in rows])
    return written.getvalue()


def _defused(cell: str) -> str:
    """A text that no program takes for a formula."""
    return f"'{cell}" if FORMULA.match(cell) else cell
