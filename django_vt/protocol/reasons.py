"""The closed list of reasons that an entry of the send log can have, and their wording.

A stored reason is a code, or a code, a colon and a detail that is safe to show: `answered: 503`,
`invalid: items[0].quantity`. The wording is made when a person looks, in that person's language.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

INVALID = "invalid"
NOBODY = "nobody"
EXPIRED = "expired"
FORGOTTEN = "forgotten"
SET_ASIDE = "set aside"
ANSWERED = "answered"
UNREACHABLE = "unreachable"
UNKNOWN_HOST = "unknown host"
TLS = "tls"
TLS_VERSION = "tls version"
TIMED_OUT = "timed out"
BROKEN = "broken connection"
BACKEND_FAILED = "backend failed"
PLAIN_HTTP = "plain http"
KEPT_HERE = "kept here"

WORDS = {
    INVALID: _("The event holds something that cannot be sent"),
    NOBODY: _("Nobody to attribute it to: no pixel cookie, no _vtsid and no e-mail address was known"),
    EXPIRED: _("Too old to be of use when its turn came (MAX_AGE)"),
    FORGOTTEN: _("Emptied at the shopper's wish"),
    SET_ASIDE: _("Staff have said that it is not to be sent: the settings did not name its account"),
    ANSWERED: _("Vibetrace answered"),
    UNREACHABLE: _("Vibetrace could not be reached: the connection was refused or the network is down"),
    UNKNOWN_HOST: _("The host name of ENDPOINT could not be resolved"),
    TLS: _("The TLS certificate of ENDPOINT was not accepted"),
    TLS_VERSION: _("This server and ENDPOINT have no TLS version in common"),
    TIMED_OUT: _("No complete answer within the time limit"),
    BROKEN: _("The connection broke before the answer"),
    BACKEND_FAILED: _("The sending backend raised an error"),
    PLAIN_HTTP: _("ENDPOINT is plain http to another machine, on the way to which anybody could read the event"),
    KEPT_HERE: _("It never left this machine: the sending backend was one for tests or development"),
}

CODES = frozenset(WORDS)
# The reasons of skipped entries.
OF_SKIPPED = frozenset({INVALID, NOBODY, EXPIRED, FORGOTTEN, SET_ASIDE})
MAX_LENGTH = 200
# Matches a status or the name of an error class, but no percent-encoded address and no telephone number.
SAFE_DETAIL = re.compile(r"[0-9]{3}|[A-Za-z_][A-Za-z0-9_.]{0,79}", re.ASCII)


def reason(code: str, detail: object = "") -> str:
    """The text to store for a code of the list, with a safe detail if there is one."""
    if code not in CODES:
        raise ValueError(f"not a reason: {code}")
    return (f"{code}: {detail}" if detail != "" else code)[:MAX_LENGTH]


def safe(told: object) -> str:
    """What a backend, maybe the shop's own, gives as a reason, reduced to the list: nothing of a person stays in it."""
    code, detail = split(told) if isinstance(told, str) else ("", "")
    if code not in CODES:
        return reason(BACKEND_FAILED)
    return reason(code, detail if SAFE_DETAIL.fullmatch(detail) else "")


def split(stored: str) -> tuple[str, str]:
    """A stored reason as (code, detail)."""
    code, _colon, detail = stored.partition(": ")
    return code, detail


def describe(stored: str) -> str:
    """A stored reason in words, translated: `Vibetrace answered 503 Service Unavailable`."""
    code, detail = split(stored)
    if code not in WORDS:
        return stored
    if code == ANSWERED and detail:
        return gettext("Vibetrace answered %(answer)s") % {"answer": f"{detail} {_phrase(detail)}".rstrip()}
    words = str(WORDS[code])
    return gettext("%(reason)s: %(detail)s") % {"reason": words, "detail": detail} if detail else words


def in_english(stored: str) -> str:
    """A stored reason in English, the language of logs and commands, as in Django."""
    with override(None):
        return describe(stored)


def _phrase(status: str) -> str:
    try:
        return HTTPStatus(int(status)).phrase
    except ValueError:
        return ""
