"""Spans of time in words: `4 minutes`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_vt.conf import settings
from django_vt.delivery.clock import database_now
from django_vt.models import Endpoint, SendLogEntry, Status
from django_vt.models.endpoint import by_address
from django_vt.models.functions import moment
from django_vt.protocol import outcome, reasons

MINUTE = timedelta(minutes=1)


def until(moment: datetime, now: datetime) -> str:
    """How long until a moment to come."""
    return timeuntil(moment, now, depth=1) if moment - now >= MINUTE else _("less than a minute")


def since(moment: datetime, now: datetime) -> str:
    """How long since a moment gone by."""
    return timesince(moment, now, depth=1) if now - moment >= MINUTE else _("less than a minute")


# How sending stands, as one look at the endpoints tells it: off, held, paused, trying again, or open.


@dataclass(frozen=True)
class Sending:
    """The state of sending at the moment `now`. `held`: by staff; `endpoints`: those at the address of the settings."""

    now: datetime
    now_ms: int
    enabled: bool
    held: bool
    endpoints: tuple[Endpoint, ...]

    @classmethod
    def seen_on(cls, using: str) -> Sending:
        """The state as the database `using` has it, and its clock: two queries."""
        rows = list(Endpoint.objects.using(using).order_by("pk"))
        # A hold is for all addresses: it lasts though ENDPOINT is changed meanwhile.
        held = any(endpoint.held_by_staff for endpoint in rows)
        in_use = tuple(by_address(rows, settings.ENDPOINT).values())
        now = database_now(using)
        return cls(moment(now), now, settings.ENABLED, held, in_use)

    def paused_until(self, account_id: str, event_type: str) -> datetime | None:
        """When the pause of an account's and a type's endpoint ends, if it is paused."""
        paused = {(each.account_id, each.event_type): each for each in self.endpoints if each.is_paused(self.now_ms)}
        endpoint = paused.get((account_id, event_type))
        return None if endpoint is None else endpoint.paused_until_moment

    @property
    def state(self) -> str:
        """One of `off`, `held`, `troubled` and `open`."""
        if not self.enabled:
            return "off"
        if self.held:
            return "held"
        return "open" if all(endpoint.is_open() for endpoint in self.endpoints) else "troubled"

    def sentences(self) -> list[str]:
        """The state in words, an account with trouble each a sentence."""
        if self.state == "off":
            return [_("Sending is switched off in the settings (ENABLED): nothing is recorded and nothing sent.")]
        if self.state == "held":
            return [_("Sending is held: events are recorded and wait until it is released.")]
        if self.state == "open":
            return [self._open()]
        return [self._trouble(endpoint) for endpoint in self.endpoints if not endpoint.is_open()]

    def _open(self) -> str:
        successes = [endpoint.last_success_moment for endpoint in self.endpoints if endpoint.last_success_moment]
        if not successes:
            return _("Sending is open.")
        return _("Sending is open; Vibetrace last accepted events %(time)s ago.") % {
            "time": since(max(successes), self.now)
        }

    def _trouble(self, endpoint: Endpoint) -> str:
        words = {"account": endpoint.account_id, "reason": reasons.describe(endpoint.reason)}
        paused_until = endpoint.paused_until_moment
        if paused_until is None or not endpoint.is_paused(self.now_ms):
            return _("Account %(account)s: the next event will show whether sending works again. %(reason)s.") % words
        return _("Account %(account)s: sending is paused for %(time)s. %(reason)s.") % {
            **words,
            "time": until(paused_until, self.now),
        }


# What has happened to an entry and what happens next, in plain words.

# What nobody has taken for this long, nobody may be there to take.
OVERDUE = timedelta(minutes=5)


def local(moment: datetime) -> str:
    """A moment in the reader's language and time zone, to the second."""
    moment = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return f"{date_format(moment, 'SHORT_DATE_FORMAT')} {moment:%H:%M:%S}"


@dataclass(frozen=True)
class Story:
    """An entry's past and future, with sending as it stands."""

    entry: SendLogEntry
    sending: Sending

    def why(self) -> str:
        """For the list: why it is where it is, in a few words."""
        return self._outlook() if self.entry.status == Status.PENDING else reasons.describe(self.entry.reason)

    def happened(self) -> str:
        """What has come of it so far."""
        if self.entry.status == Status.SENT and self.entry.sent_at:
            return _("Vibetrace accepted it on %(time)s (answer %(answer)s).") % {
                "time": local(self.entry.sent_at),
                "answer": self.entry.response_status,
            }
        words = reasons.describe(self.entry.reason)
        if self.entry.status == Status.SKIPPED:
            return _("It was not sent. %(reason)s.") % {"reason": words or _("No reason was stored")}
        if self.entry.status == Status.FAILED:
            return self._failed(words or _("No reason was stored"))
        if words:
            return _("It was tried and did not get through. %(reason)s.") % {"reason": words}
        return _("It was recorded and has not been tried yet.")

    def next(self) -> str:
        """What will come of it."""
        if self.entry.status == Status.PENDING:
            return _("%(outlook)s.") % {"outlook": capfirst(self._outlook())}
        if self.entry.status == Status.SENT:
            return _("Nothing: it has arrived.")
        if self.entry.reason == reasons.reason(reasons.FORGOTTEN) or not self.entry.payload:
            return self._empty()
        if self.entry.status == Status.FAILED:
            return _("Nothing by itself. Mend the cause, then send it again.")
        if self.entry.dedup_key:
            return _("Nothing by itself. Signalled again with what is missing, it will be sent.")
        return _("Nothing: it will not be sent by itself.")

    def absence(self) -> str:
        """Why there is no event in it, where there was one: for an entry without a payload."""
        entry = self.entry
        sent = entry.status == Status.SENT
        if entry.reason == reasons.reason(reasons.FORGOTTEN) or (sent and not entry.identity):
            return reasons.describe(reasons.FORGOTTEN)
        return _("Emptied some time after it was sent (PAYLOAD_DAYS)") if sent else ""

    def _empty(self) -> str:
        if reasons.split(self.entry.reason)[0] == reasons.INVALID:
            return _("Nothing by itself. Mend what it names and signal it anew: that will be an entry of its own.")
        return _("Nothing: there is no event in it that could be sent.")

    def _failed(self, words: str) -> str:
        attempts = self.entry.attempts
        tried = ngettext(
            "It failed for good after %(count)d attempt. %(reason)s.",
            "It failed for good after %(count)d attempts. %(reason)s.",
            attempts,
        )
        return tried % {"count": attempts, "reason": words}

    def _outlook(self) -> str:
        """For a pending entry: `retry in 4 minutes, attempt 3 of 8, last answer 503`."""
        waiting = self._obstacle() or self._waiting()
        return _(", ").join(part for part in (waiting, self._attempt(), self._last()) if part)

    def _obstacle(self) -> str:
        if self.entry.claim and self._due_at() > self.sending.now:
            return _("being sent now")
        if not self.sending.enabled:
            return _("waits: sending is switched off")
        if self.sending.held:
            return _("waits: sending is held by staff")
        return ""

    def _waiting(self) -> str:
        now, due_at = self.sending.now, self._due_at()
        resumes_at = self.sending.paused_until(self.entry.account_id, self.entry.event_type)
        if resumes_at is not None and resumes_at >= due_at:
            return _("sending is paused for %(time)s") % {"time": until(resumes_at, now)}
        if due_at > now:
            return _("retry in %(time)s") % {"time": until(due_at, now)}
        if now - due_at > OVERDUE:
            waiting = since(due_at, now)
            return _("due for %(time)s: see whether a worker runs (send_pending)") % {"time": waiting}
        return _("due now")

    def _attempt(self) -> str:
        """Which attempt is next; those in company and those of an outage don't count."""
        if not self.entry.attempts:
            return ""
        allowed = outcome.attempts_allowed(settings.RETRY_DELAYS)
        return _("attempt %(next)d of %(all)d") % {"next": self.entry.attempts + 1, "all": allowed}

    def _last(self) -> str:
        if self.entry.response_status:
            return _("last answer %(answer)d") % {"answer": self.entry.response_status}
        words = reasons.describe(self.entry.reason)
        return _("last time: %(reason)s") % {"reason": words} if words else ""

    def _due_at(self) -> datetime:
        return self.entry.due_moment or self.sending.now
