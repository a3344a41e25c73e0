"""Sending entries again: which are chosen, which of these can be sent, and what becomes of them."""

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

SENT_AT_ONCE = 200  # entries a part: between two of them somebody may stop it, and sees how far it is
LOOKED_AT_AT_ONCE = 900  # entries a query: SQLite takes no more than a thousand values in one
UNSENT = (Status.FAILED, Status.SKIPPED)
# What the admin's history calls an entry by.
NAMED = ("pk", "event_type", "reference", "identity", "email_hash")


class UnknownEntries(ValueError):
    """The send log has no entries with these `ids`."""

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__(f"the send log has no entry {', '.join(map(str, ids))}")
        self.ids = ids


@dataclass(frozen=True)
class Selection:
    """Chosen entries: a condition, and the ids of what has met it at first."""

    entries: SendLogQuerySet
    ids: Sequence[int]

    @classmethod
    def by_ids(cls, using: str, ids: Sequence[int]) -> Selection:
        """Just these, whatever their status. Raises `UnknownEntries` where there are not all of them."""
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
        """All of these statuses, and where that is given, of a type, of an account, recorded in a time.

        `until` is not part of that time.
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
    """The ids of those that have failed for a reason (its stored form) since a moment: the newest within the limit."""
    entries = SendLogEntry.objects.using(using)
    failed = functions.first_ids(entries.filter(status=Status.FAILED, created_at__gte=since))
    return list(entries.filter(pk__in=failed, reason=reason).order_by("pk").values_list("pk", flat=True))


@dataclass(frozen=True)
class Survey:
    """What sending entries again would do. `already_sent` are among the `sendable`; the others would be left.

    `no_account`: recorded for no account, of a project that has several, so that somebody must name it. `reasons`: why
    those of the `sendable` that failed or were skipped did, in the stored form.
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
    """Looks at entries, and changes nothing. `account_id`: where those go that were recorded for no account."""
    entries, now = SendLogEntry.objects.using(using), database_now(using)
    parts = _parts(ids, LOOKED_AT_AT_ONCE)
    return sum((_survey_part(entries.filter(pk__in=part), now, account_id) for part in parts), Survey())


def _survey_part(part: SendLogQuerySet, now: int, account_id: str) -> Survey:
    """One query: what stands in the way of each, the first that does."""
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
    """Whether what was recorded for no account can be sent: to the account given, or to the only one."""
    return bool(account_id or only_account())


def queue(ids: Sequence[int], using: str, account_id: str = "") -> list[SendLogEntry]:
    """Have entries sent again by whoever sends; returns those that wait for it now. What a worker holds is left.

    `account_id`: where those go that were recorded for no account.
    """
    queued: list[SendLogEntry] = []
    entries = SendLogEntry.objects.using(using)
    with transaction.atomic(using=using):
        for part in _parts(ids, SENT_AT_ONCE):
            _reopen(entries.filter(pk__in=part), account_id)
            # A worker's claim can come between a look and the change: so the look comes after the change.
            waiting = entries.with_status(Status.PENDING, part).can_be_sent()
            queued += waiting.filter(claim=None, attempts=0, reason="").only(*NAMED)
        record.wake_after_commit(using)
    return queued


class Resending:
    """Sends a selection again, part by part, in this process, and counts what becomes of it.

    `account_id`: where those go that were recorded for no account.
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
        """How many of the chosen were left as they were."""
        return len(self._selection) - self.reopened

    @property
    def all_sent(self) -> bool:
        """Whether each of the chosen was reopened and has been sent."""
        return self.left == 0 and self.statuses[Status.SENT] == len(self._selection)

    def preview(self) -> None:
        """Count what would be reopened, and change nothing."""
        self.survey = survey(self._selection.ids, self._using, self._account_id)
        self.reopened = len(self.survey.sendable)

    def run(self) -> Iterator[int]:
        """Send again; yields after each part how many of the chosen are done."""
        done = 0
        for ids in _parts(self._selection.ids, SENT_AT_ONCE):
            self._resend(ids)
            done += len(ids)
            yield done
        self._count_statuses()

    def _resend(self, ids: Sequence[int]) -> None:
        # The condition once more: what has been sent meanwhile is not sent again.
        part = self._selection.entries.filter(pk__in=ids)
        self.survey += _survey_part(part, database_now(self._using), self._account_id)
        self.reopened += _reopen(part, self._account_id)
        if self._vendor_answers:
            report = deliver_due(ids=ids, using=self._using)
            # A part of which nothing got through: the rest would only wait for the same error, part after part.
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
