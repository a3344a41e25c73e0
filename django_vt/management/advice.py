"""Advice on the answer to a test event: what it means and what to do, a row for each outcome."""

from __future__ import annotations

from collections.abc import Mapping

from django_vt.conf import DEFAULTS
from django_vt.protocol import reasons
from django_vt.protocol.outcome import Kind, Verdict

WAITS = "Nothing is lost: the shop's events wait and are sent once this is mended."
ACCOUNT = 'Compare DJANGO_VT["ACCOUNT_ID"] with the id that Vibetrace gave the shop, letter by letter'
OWN_ENDPOINT = f'Leave DJANGO_VT["ENDPOINT"] out unless Vibetrace has told you another than {DEFAULTS["ENDPOINT"]}'

UNAUTHORIZED = (
    f"Vibetrace does not let this account, or this server, in. {ACCOUNT}, and ask them whether they admit this "
    f"server's address. {WAITS}"
)
NOT_FOUND = f"There is no such account, or nothing at all, at this address. {ACCOUNT}. {OWN_ENDPOINT}. {WAITS}"

OF_STATUS: Mapping[int, str] = {
    401: UNAUTHORIZED,
    403: UNAUTHORIZED,
    404: NOT_FOUND,
    405: f"This address takes no events. {OWN_ENDPOINT}. {WAITS}",
    410: NOT_FOUND,
    414: "Something on the way, such as a proxy, takes only short addresses, and this one is as short as any: ask "
    "whoever runs it. What several events may fill is MAX_URL_LENGTH.",
    429: f"Vibetrace has had too much for the moment; the settings are good. Try again later. {WAITS}",
}
OF_REASON: Mapping[str, str] = {
    reasons.UNREACHABLE: "Let this server open connections to that host: a firewall may forbid it. Where it must go "
    f"through a proxy, set TRUST_ENV to True and HTTPS_PROXY in the environment. {WAITS}",
    reasons.UNKNOWN_HOST: f"See whether this server resolves other names. {OWN_ENDPOINT}. {WAITS}",
    reasons.TLS: "Is the clock right, is the package certifi up to date, does something inspect TLS on the way? A "
    f"company's own CA applies with TRUST_ENV set to True and REQUESTS_CA_BUNDLE in the environment. {WAITS}",
    reasons.TLS_VERSION: "Update this server's OpenSSL, or whatever ends TLS on the way: Vibetrace takes a version "
    f"that it does not offer. {OWN_ENDPOINT}. {WAITS}",
    reasons.TIMED_OUT: "Try again. If it stays so, a firewall probably drops what this server sends to that host; a "
    f"slow line may need a longer TIMEOUT. {WAITS}",
    reasons.BROKEN: f"Try again. If it stays so, look at the proxies and firewalls on the way. {WAITS}",
    reasons.PLAIN_HTTP: f"Begin ENDPOINT with https. {OWN_ENDPOINT}. {WAITS}",
    reasons.BACKEND_FAILED: f"The class that BACKEND names has raised this: mend it. {WAITS}",
}
OF_KIND: Mapping[Kind, str] = {
    Kind.ACCEPTED: "The event is accepted. The answer says no more than that, not even whether the account is the "
    "shop's: look for the event there, once. If Vibetrace does not show it, compare ACCOUNT_ID.",
    Kind.RETRY: "Vibetrace is busy or out of order, and nothing is wrong here. The shop's events wait and are sent "
    "when it is back. Try again in some minutes.",
    Kind.AWAY: "Vibetrace asks for a rest, and nothing is wrong here. The shop's events wait and are sent when it is "
    "over. Try again in some minutes.",
    Kind.MISCONFIGURED: "That is a redirect, and none is followed: shoppers' data would go with it. Find out where it "
    f"leads. {OWN_ENDPOINT}. {WAITS}",
    Kind.REJECTED: "The event itself is refused, though it could not be plainer: so it is the account, or a firewall "
    f"that dislikes something in the address. {ACCOUNT}. With --email, Vibetrace must know the person already.",
}


def on(verdict: Verdict) -> str:
    """The advice for a verdict: by its status if that has a row, otherwise by its reason, otherwise by its kind."""
    code, _detail = reasons.split(verdict.reason)
    status = verdict.response_status or 0
    return OF_STATUS.get(status) or OF_REASON.get(code) or OF_KIND[verdict.kind]
