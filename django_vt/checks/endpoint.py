"""Whether ENDPOINT is an address that shoppers' data may go to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.core.checks import CheckMessage, Error

from django_vt.checks.values import is_well_formed
from django_vt.conf import BLOCK, DEFAULTS, settings

LONGEST_ADDRESS = 255  # the column of the table of endpoints
URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", re.ASCII)  # RFC 3986


def check_endpoint(block: Mapping[Any, Any]) -> list[CheckMessage]:
    """An absolute https URL, or http to this machine, to which a path and a query can be added."""
    if not is_well_formed(block, "ENDPOINT"):
        return []
    parts = _split(settings.ENDPOINT)
    if parts is None:
        return [_unusable("is not an absolute http or https URL")]
    problem = _problem(settings.ENDPOINT, parts)
    if problem:
        return [_unusable(problem)]
    return [] if parts.scheme == "https" or _is_loopback(parts.hostname or "") else [_plain_http()]


def _split(url: str) -> SplitResult | None:
    """The parts of the URL; None where it has no host, a port that is none, or isn't one."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError:
        return None
    # urlsplit drops line breaks without a word.
    usable = URL_CHARACTERS.fullmatch(url) and parts.scheme in {"http", "https"} and parts.hostname
    return parts if usable else None


def _problem(url: str, parts: SplitResult) -> str:
    if len(url) > LONGEST_ADDRESS:
        return f"is longer than {LONGEST_ADDRESS} characters"
    if "@" in parts.netloc:
        return "holds a user name: the send log and the log show the address"
    if "?" in url or "#" in url:
        return "has a query or a fragment, where the account and the event type are to follow"
    return ""


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _unusable(problem: str) -> CheckMessage:
    return Error(
        f'{BLOCK}["ENDPOINT"] {problem}.',
        hint=f'Leave it out, for "{DEFAULTS["ENDPOINT"]}", or give an address of that form.',
        id="django_vt.E006",
    )


def _plain_http() -> CheckMessage:
    return Error(
        f'{BLOCK}["ENDPOINT"] is plain http to another machine: shoppers\' addresses would travel readable.',
        hint="Use https. http is for this machine only: localhost, 127.0.0.0/8 and [::1].",
        id="django_vt.E007",
    )
