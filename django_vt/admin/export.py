"""A CSV file of the entries that the list shows, of any number, masked as the viewer sees them."""

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
# The characters, also in full width, that spreadsheet programs treat as the beginning of a formula.
FORMULA = re.compile(r"[\s=+\-@|%\uff1d\uff0b\uff0d\uff20]")
# A filter's value that may be written into the admin's history: it cannot be an e-mail address.
SAYABLE = re.compile(r"[\w :.,-]{1,60}", re.ASCII)
MARK = "\ufeff"  # the byte order mark, by which spreadsheet programs recognise UTF-8


class Export:
    """Exports the entries of `queryset` in the order of the list."""

    def __init__(self, request: HttpRequest, queryset: QuerySet[SendLogEntry]) -> None:
        self._request = request
        self._entries = queryset
        self._viewer = Viewer.of(request)
        # Entries that filters chose by id are at most LIMIT, as in the list.
        self._are_chosen = bool(filters.BY_ID & request.GET.keys())
        self._rest: Q | None = None
        # The file is streamed after the view has returned, when the viewer's language and time zone may not be active.
        self._language, self._zone = get_language(), timezone.get_current_timezone()

    def response(self) -> StreamingHttpResponse:
        """The file as a stream. The download is noted in the admin's history."""
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
        """The file, part by part. No local variable may hold an entry: the frame stays alive while other code runs."""
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
    """The entries after this one. The first condition is for the index, which the second alone would not use."""
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
    """The text, changed so that no program treats it as a formula."""
    return f"'{cell}" if FORMULA.match(cell) else cell
