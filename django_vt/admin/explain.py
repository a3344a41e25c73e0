"""The sentences on the admin's pages: the state of sending, what happened to an entry, and what happens next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_vt.accounts import is_known
from django_vt.admin.plain_words import Reason, plainly
from django_vt.conf import settings
from django_vt.models import Endpoint, SendLogEntry, Status
from django_vt.operations import durations
from django_vt.operations.sending_state import SendingState
from django_vt.protocol import outcome, reasons

# The state of sending, in words.

_seen: WeakKeyDictionary[HttpRequest, SendingState] = WeakKeyDictionary()


def sending_seen_by(request: HttpRequest, using: str) -> SendingState:
    """The state of sending, read once per request and shared by all parts of the page."""
    if request not in _seen:
        _seen[request] = SendingState.seen_on(using)
    return _seen[request]


def sentences(sending: SendingState) -> list[str]:
    """The state in words: one sentence, or one for each endpoint in trouble."""
    if sending.state == "off":
        return [_("Sending is switched off in the shop's settings: nothing is recorded and nothing sent.")]
    if sending.state == "held":
        return [_("Sending is held: events are recorded and wait until it is released.")]
    if sending.state == "open":
        return [_open(sending)]
    return [_trouble(endpoint, sending) for endpoint in sending.troubled()]


def _open(sending: SendingState) -> str:
    last_success = sending.last_success()
    if last_success is None:
        return _("Sending is open.")
    return _("Sending is open; Vibetrace last accepted events %(time)s ago.") % {
        "time": durations.in_words(sending.now - last_success)
    }


def _trouble(endpoint: Endpoint, sending: SendingState) -> str:
    words = {"account": endpoint.account_id, "reason": plainly(endpoint.reason).words}
    paused_until = endpoint.paused_until_moment
    if paused_until is None or not endpoint.is_paused(sending.now_ms):
        return _("Account %(account)s: the next event will show whether sending works again. %(reason)s.") % words
    return _("Account %(account)s: sending is paused for %(time)s. %(reason)s.") % {
        **words,
        "time": durations.in_words(paused_until - sending.now),
    }


def of_account(account_id: str, sending: SendingState, waiting: int) -> str:
    """The state of one account of several. `waiting`: how many entries wait, if the settings do not name it."""
    if not is_known(account_id):
        words = ngettext(
            "The settings do not name it: %(count)d entry of it waits and is not sent.",
            "The settings do not name it: %(count)d entries of it wait and are not sent.",
            waiting,
        )
        return words % {"count": waiting}
    if sending.held or account_id in sending.held_accounts:
        return _("Held: its events are recorded and wait.")
    if any(endpoint.account_id == account_id for endpoint in sending.troubled()):
        return _("Sending to it fails and is tried again.")
    return _("Open.")


# What happened to an entry and what happens next, in words.

# If an entry has been due for this long, maybe no worker is running.
OVERDUE = timedelta(minutes=5)


def local(moment: datetime) -> str:
    """A moment in the reader's language and time zone, to the second."""
    moment = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return f"{date_format(moment, 'SHORT_DATE_FORMAT')} {moment:%H:%M:%S}"


@dataclass(frozen=True)
class Story:
    """An entry's past and future, given the state of sending."""

    entry: SendLogEntry
    sending: SendingState

    def why(self) -> str:
        """The reason for the entry's status in a few words, for the list."""
        return self._outlook() if self.entry.status == Status.PENDING else self._reason.words

    def happened(self) -> str:
        """What happened to the entry so far."""
        if self.entry.status == Status.SENT and self.entry.reason:
            return _("It is called sent. %(reason)s.") % {"reason": self._reason.words}
        if self.entry.status == Status.SENT and self.entry.sent_at:
            return _("Vibetrace accepted it on %(time)s (answer %(answer)s).") % {
                "time": local(self.entry.sent_at),
                "answer": self.entry.response_status,
            }
        words = self._reason.words
        if self.entry.status == Status.SKIPPED:
            return _("It was not sent. %(reason)s.") % {"reason": words or _("No reason was stored")}
        if self.entry.status == Status.FAILED:
            return self._failed(words or _("No reason was stored"))
        if words:
            return _("It was tried and did not get through. %(reason)s.") % {"reason": words}
        return _("It was recorded and has not been tried yet.")

    def next(self) -> str:
        """What happens to the entry next."""
        if self.entry.status == Status.PENDING:
            return _("%(outlook)s.") % {"outlook": capfirst(self._outlook())}
        if self.entry.status == Status.SENT:
            return self._after_sending()
        if self.entry.reason == reasons.reason(reasons.FORGOTTEN) or not self.entry.payload:
            return self._empty()
        if self.entry.status == Status.FAILED:
            return self._advised(_("Then send it again."), otherwise=_("Mend the cause, then send it again."))
        if self.entry.dedup_key and self._reason.advice:
            return self._advised(_("Then have it signalled again, or send it again."))
        return _("Nothing: it will not be sent by itself.")

    def absence(self) -> str:
        """Why an entry without a payload has none, if it had one before."""
        entry = self.entry
        sent = entry.status == Status.SENT
        if entry.reason == reasons.reason(reasons.FORGOTTEN) or (sent and not entry.identity):
            return plainly(reasons.FORGOTTEN).words
        return _("Emptied some time after it was sent, as the shop's settings say") if sent else ""

    def _after_sending(self) -> str:
        if self.entry.reason:
            return self._advised(_("Then send it again."))
        return _("Nothing: it has arrived.")

    def _empty(self) -> str:
        if reasons.split(self.entry.reason)[0] == reasons.INVALID:
            return self._advised(_("Then have it signalled anew: that will be an entry of its own."))
        return _("Nothing: there is no event in it that could be sent.")

    @property
    def _reason(self) -> Reason:
        return plainly(self.entry.reason)

    def _advised(self, then: str, otherwise: str = "") -> str:
        """That a person must act: the reason's advice and `then`, or `otherwise` if the reason has no advice."""
        advice = self._reason.advice
        return " ".join((_("Nothing by itself."), *((advice, then) if advice else (otherwise,))))

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
        if self.sending.held or self.entry.account_id in self.sending.held_accounts:
            return _("waits: sending is held by staff")
        if not is_known(self.entry.account_id):
            return _("waits, and is not sent: the settings do not name its account")
        return ""

    def _waiting(self) -> str:
        now, due_at = self.sending.now, self._due_at()
        resumes_at = self.sending.paused_until(self.entry.account_id, self.entry.event_type)
        if resumes_at is not None and resumes_at >= due_at:
            return _("sending is paused for %(time)s") % {"time": durations.in_words(resumes_at - now)}
        if due_at > now:
            return _("retry in %(time)s") % {"time": durations.in_words(due_at - now)}
        if self.is_overdue:
            waiting = durations.in_words(now - due_at)
            return _("overdue for %(time)s: the shop's sending does not seem to run") % {"time": waiting}
        return _("due now")

    @property
    def is_overdue(self) -> bool:
        """Whether the entry has been due for so long that maybe no worker is running."""
        return self.entry.status == Status.PENDING and self.sending.now - self._due_at() > OVERDUE

    def _attempt(self) -> str:
        """Which attempt is next. Shared attempts, and those during an outage, do not count."""
        if not self.entry.attempts:
            return ""
        allowed = outcome.attempts_allowed(settings.RETRY_DELAYS)
        return _("attempt %(next)d of %(all)d") % {"next": self.entry.attempts + 1, "all": allowed}

    def _last(self) -> str:
        if self.entry.response_status:
            return _("last answer %(answer)d") % {"answer": self.entry.response_status}
        words = self._reason.words
        return _("last time: %(reason)s") % {"reason": words} if words else ""

    def _due_at(self) -> datetime:
        return self.entry.due_moment or self.sending.now
