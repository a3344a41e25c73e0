"""The life of an entry: recorded, each failed attempt, and how it ended or goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_vt.admin.story import Story, local
from django_vt.models import SendAttempt, SendLogEntry
from django_vt.protocol import reasons

# An outage can leave hundreds; the last ones say what is wrong.
MOST_ATTEMPTS = 50
Status = SendLogEntry.Status


@dataclass(frozen=True)
class Moment:
    """Something that happened or will; `kind` is `recorded`, `attempt`, `sent` or `next`; `at` may be unknown."""

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
        yield _moment("attempt", attempt.at, reasons.describe(attempt.reason))


def _end(story: Story) -> Iterator[Moment]:
    entry = story.entry
    if entry.status == Status.SENT and entry.sent_at:
        yield _moment("sent", entry.sent_at, _("Accepted by Vibetrace"))
    elif entry.status == Status.PENDING:
        yield Moment("next", local(entry.due_at) if entry.due_at else "", story.next(), entry.due_at)
    else:
        yield Moment("next", "", story.happened())


def _moment(kind: str, at: datetime, words: str) -> Moment:
    return Moment(kind, local(at), words, at)
