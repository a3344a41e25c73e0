"""Sending entries again: choosing them, checking which can be sent, and counting the outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Case, Value, When

from django_vt.accounts import only_account
from django_vt.delivery import deliver_due
from django_vt.delivery.clock import database_now
from django_vt.models import SendLogEntry, Status, functions
from django_vt.models.send_log import SendLogQuerySet, live_claim
from django_vt.recording import record

SENT_AT_ONCE = 200  # entries a part: after each part the progress is shown, and it may be stopped
LOOKED_AT_AT_ONCE = 900  # entries a query: SQLite allows a thousand values in one
UNSENT = (Status.FAILED, Status.SKIPPED)
# The columns from which the admin's history makes an entry's name.
NAMED = ("pk", "event_type", "reference", "identity", "email_hash")


class UnknownEntries(ValueError):
    """The send log has no entries with these `ids`."""

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__(f"the send log has no entry {', '.join(map(str, ids))}")
        self.ids = ids


@dataclass(frozen=True)
class Selection:
    """Chosen entries: a condition, and the ids of the entries that met it when they were chosen."""

    entries: SendLogQuerySet
    ids: Sequence[int]

    @classmethod
    def by_ids(cls, using: str, ids: Sequence[int]) -> Selection:
        """Choose these entries, whatever their status. Raises `UnknownEntries` if any of them does not exist."""
        entries, chosen = SendLogEntry.objects.using(using).all(), list(dict.fromkeys(ids))
        known = {
            pk
            for part in _parts(chosen, LOOKED_AT_AT_ONCE)
            for pk in entries.filter(pk__in=part).values_list("pk", flat=True)
        }
        unknown = [pk for pk in chosen if pk not in known]
        if unknown:
            raise UnknownEntries(unknown)
        return cls(entries, chosen)

    @classmethod
    def by_status(
        cls,
        using: str,
        statuses: Sequence[str],
        *,
        event_type: str | None = None,
        account_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Selection:
        """Choose all entries with these statuses; if given, only of a type, of an account, or of a recording time.

        The time begins with `since` and ends before `until`.
        """
        found = SendLogEntry.objects.using(using).filter(status__in=statuses)
        if event_type is not None:
            found = found.filter(event_type=event_type)
        if account_id is not None:
            found = found.filter(account_id=account_id)
        if since is not None:
            found = found.filter(created_at__gte=since)
        if until is not None:
            found = found.filter(created_at__lt=until)
        return cls(found, list(found.order_by("pk").values_list("pk", flat=True)))

    def __len__(self) -> int:
        return len(self.ids)


def failed_for(reason: str, since: datetime, using: str) -> list[int]:
    """The ids of entries recorded since a moment that failed for a (stored) reason: the newest within the limit."""
    entries = SendLogEntry.objects.using(using)
    failed = functions.first_ids(entries.filter(status=Status.FAILED, created_at__gte=since))
    return list(entries.filter(pk__in=failed, reason=reason).order_by("pk").values_list("pk", flat=True))


@dataclass(frozen=True)
class Survey:
    """What sending entries again would do. The `sendable`, `already_sent` among them, would be sent; the others not.

    `no_account`: recorded without an account in a project that has several, so that staff must name one. `reasons`: the
    stored reasons of the `sendable` that failed or were skipped.
    """

    sendable: tuple[int, ...] = ()
    already_sent: int = 0
    in_hand: int = 0
    emptied: int = 0
    nobody: int = 0
    no_account: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Survey) -> Survey:
        return Survey(**{name: value + getattr(other, name) for name, value in vars(self).items()})


def survey(ids: Sequence[int], using: str, account_id: str = "") -> Survey:
    """Check entries and change nothing. `account_id`: the account for entries that were recorded without one."""
    entries, now = SendLogEntry.objects.using(using), database_now(using)
    parts = _parts(ids, LOOKED_AT_AT_ONCE)
    return sum((_survey_part(entries.filter(pk__in=part), now, account_id) for part in parts), Survey())


def _survey_part(part: SendLogQuerySet, now: int, account_id: str) -> Survey:
    """Survey one part with one query, which gives the first obstacle of each entry."""
    obstacle = Case(
        When(payload="", then=Value("emptied")),
        When(identity="", then=Value("nobody")),
        *([] if _is_known_where_to(account_id) else [When(account_id="", then=Value("no_account"))]),
        When(live_claim(now), then=Value("in_hand")),
        default=Value(""),
    )
    rows = list(part.order_by("pk").values_list("pk", "status", "reason", obstacle))
    sendable = [(pk, status, reason) for pk, status, reason, obstacle in rows if not obstacle]
    return Survey(
        sendable=tuple(pk for pk, _status, _reason in sendable),
        already_sent=sum(status == Status.SENT for _pk, status, _reason in sendable),
        reasons=Counter(reason for _pk, status, reason in sendable if reason and status in UNSENT),
        **Counter(obstacle for *_columns, obstacle in rows if obstacle),
    )


def _is_known_where_to(account_id: str) -> bool:
    """Whether entries recorded without an account can be sent: to the given account, or to the only one."""
    return bool(account_id or only_account())


def queue(ids: Sequence[int], using: str, account_id: str = "") -> list[SendLogEntry]:
    """Make entries pending again, for workers to send; returns those that are. Entries that a worker holds are left.

    `account_id`: the account for entries that were recorded without one.
    """
    queued: list[SendLogEntry] = []
    entries = SendLogEntry.objects.using(using)
    with transaction.atomic(using=using):
        for part in _parts(ids, SENT_AT_ONCE):
            _reopen(entries.filter(pk__in=part), account_id)
            # Read back what the UPDATE changed: a worker may claim rows after an earlier SELECT.
            waiting = entries.with_status(Status.PENDING, part).can_be_sent()
            queued += waiting.filter(claim=None, attempts=0, reason="").only(*NAMED)
        record.wake_after_commit(using)
    return queued


class Resending:
    """Sends a selection again, part by part, in this process, and counts the outcomes.

    `account_id`: the account for entries that were recorded without one.
    """

    def __init__(self, selection: Selection, using: str, account_id: str = "") -> None:
        self._selection = selection
        self._account_id = account_id
        self._using = using
        self._vendor_answers = True
        self.reopened = 0
        self.survey = Survey()
        self.statuses: Counter[str] = Counter()

    @property
    def left(self) -> int:
        """How many of the chosen entries were not reopened."""
        return len(self._selection) - self.reopened

    @property
    def all_sent(self) -> bool:
        """Whether every chosen entry was reopened and sent."""
        return self.left == 0 and self.statuses[Status.SENT] == len(self._selection)

    def preview(self) -> None:
        """Count what would be reopened, and change nothing."""
        self.survey = survey(self._selection.ids, self._using, self._account_id)
        self.reopened = len(self.survey.sendable)

    def run(self) -> Iterator[int]:
        """Send again; yields the number of entries done after each part."""
        done = 0
        for ids in _parts(self._selection.ids, SENT_AT_ONCE):
            self._resend(ids)
            done += len(ids)
            yield done
        self._count_statuses()

    def _resend(self, ids: Sequence[int]) -> None:
        # Apply the condition again: an entry that was sent meanwhile is not sent again.
        part = self._selection.entries.filter(pk__in=ids)
        self.survey += _survey_part(part, database_now(self._using), self._account_id)
        self.reopened += _reopen(part, self._account_id)
        if self._vendor_answers:
            report = deliver_due(ids=ids, using=self._using)
            # If nothing of a part got through, do not try the rest: each part would wait for the same error.
            self._vendor_answers = report.sent > 0 or report.retried == 0

    def _count_statuses(self) -> None:
        entries = SendLogEntry.objects.using(self._using)
        for ids in _parts(self._selection.ids, SENT_AT_ONCE):
            self.statuses.update(entries.filter(pk__in=ids).values_list("status", flat=True))


def _reopen(part: SendLogQuerySet, account_id: str) -> int:
    known = part if _is_known_where_to(account_id) else part.exclude(account_id="")
    return known.resend(account_id or only_account(), database_now(part.db))


def _parts(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
