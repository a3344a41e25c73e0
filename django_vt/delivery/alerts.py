"""Tells those who look after the shop what they must hear of: logs it at ERROR and, if ALERT_EMAILS is set, mails it.

An account gets one mail for an outage and no second within a day, and the same for entries that have failed for good.
"""

from __future__ import annotations

import atexit
import logging
import threading
from typing import Final, Literal

from django.conf import settings as django_settings
from django.core.mail import mail_admins, send_mail
from django.db import connections

from django_vt.conf import ADMINS, settings
from django_vt.delivery.clock import Clock
from django_vt.models import Endpoint
from django_vt.models.db import with_retries
from django_vt.protocol import reasons

# At its end a process waits so long, in seconds, for a mail server that is slow.
PATIENCE: Final = 10.0

logger = logging.getLogger(__name__)
_under_way: list[threading.Thread] = []


class Alerts:
    """The alerts of one worker."""

    def __init__(self, using: str, clock: Clock) -> None:
        self._using = using
        self._clock = clock

    def misconfigured(self, endpoint: Endpoint, reason: str) -> None:
        """The vendor refuses what the shop's settings have it sent to."""
        text = (
            "The configuration for Vibetrace seems wrong: account %s, events of type %s, %s. Events are kept and tried "
            "again; see ACCOUNT_ID and ENDPOINT, or a firewall in between."
        )
        told = (endpoint.account_id, endpoint.event_type, reasons.in_english(reason))
        logger.error(text, *told)
        self._mail("outage", endpoint, "the configuration seems wrong", text % told)

    def outage(self, endpoint: Endpoint, reason: str) -> None:
        """Nothing has been accepted for some time."""
        text = (
            "Nothing gets through to Vibetrace since %s (account %s, type %s): %s. Events are kept, and sent when it "
            "is back; `manage.py send_log_status` says how things stand."
        )
        told = (
            endpoint.paused_since_moment, endpoint.account_id, endpoint.event_type, reasons.in_english(reason),
        )  # fmt: skip
        logger.error(text, *told)
        self._mail("outage", endpoint, "nothing gets through", text % told)

    def failed(self, endpoint: Endpoint, pk: int, reason: str) -> None:
        """An entry has failed for good. At ERROR once an hour, otherwise at WARNING."""
        why = reasons.in_english(reason)
        if not with_retries(lambda: endpoint.alerts_of_failure(self._clock.now()), self._using):
            logger.warning("Entry %d of the send log has failed for good: %s", pk, why)
            return
        text = (
            "An event has failed for good: entry %d of the send log, %s. See why, mend it and send it again in the "
            "admin."
        )
        logger.error("%s Others that fail within an hour are told at WARNING.", text % (pk, why))
        self._mail("failure", endpoint, "an event has failed", f"{text % (pk, why)} Of others no mail tells today.")

    def _mail(self, kind: Literal["outage", "failure"], endpoint: Endpoint, subject: str, text: str) -> None:
        if not settings.ALERT_EMAILS:
            return
        rows = Endpoint.objects.using(self._using)
        account = with_retries(lambda: rows.row_of_account(endpoint.account_id), self._using)
        if with_retries(lambda: account.mails(kind, self._clock.now()), self._using):
            # In a thread of its own: a mail server may take minutes, and the shop's other events wait.
            thread = threading.Thread(
                target=_send, args=(f"Vibetrace: {subject}", text), name="django_vt mail", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:  # too many threads, or the end of the process has begun
                _log_failure(error)
            else:
                _under_way[:] = [*(other for other in _under_way if other.is_alive()), thread]


def _send(subject: str, text: str) -> None:
    try:
        if settings.ALERT_EMAILS == ADMINS:
            mail_admins(subject, text)
        else:
            prefixed = f"{django_settings.EMAIL_SUBJECT_PREFIX}{subject}"
            send_mail(prefixed, text, django_settings.SERVER_EMAIL, [*settings.ALERT_EMAILS])
    except Exception as error:  # noqa: BLE001 - of whatever mail backend the project has
        _log_failure(error)
    finally:
        connections.close_all()  # some mail backends keep their mails in the database


def _log_failure(error: Exception) -> None:
    logger.warning("An alert could not be mailed: %s", type(error).__name__)


def wait(patience: float = PATIENCE) -> None:
    """Wait until the mails that are under way have been sent, each at most so many seconds."""
    for thread in _under_way:
        thread.join(patience)


atexit.register(wait)
