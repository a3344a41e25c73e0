"""Searching without putting the typed text into a URL.

Staff may type a shopper's address, and URLs are kept: in access logs, in the browser's history, in `Referer`. So the
search is a POST, and the result's URL has only the number of an entry: `?same=address:123` lists all entries with the
same e-mail address as entry 123. The URL does not even hold the address's hash: whoever has a list of addresses could
find out which of them was looked up.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import or_

from django.db import models
from django.db.models import F, Q
from django.views.decorators.debug import sensitive_variables

from django_vt.admin.privacy import Viewer
from django_vt.exceptions import InvalidField
from django_vt.identity import NOBODY, PIXEL_COOKIE, VTSID_COOKIE, Identity
from django_vt.models import SendLogEntry, functions
from django_vt.protocol import addresses
from django_vt.protocol.addresses import hash_of_address

SendLogEntries = models.QuerySet[SendLogEntry]
PARAMETER = "same"
REFERENCE, IDENTITY, ADDRESS = "reference", "identity", "address"
PATTERN = re.compile(r"(reference|identity|address):([0-9]{1,18})", re.ASCII)
HASH_PATTERN = re.compile(r"[0-9a-f]{64}", re.ASCII)
SHORTEST_BEGINNING = 3  # characters: a shorter text would match too many references
MOST_TOLD, LOOKED_THROUGH = 5, 50
# The indexes by which people and orders are found end with the id.
BY_ID = ("-pk",)


@sensitive_variables()
def find(text: str, entries: models.QuerySet[SendLogEntry], viewer: Viewer) -> str | None:
    """The value of `same` for the text that staff typed; None if no entry matches.

    Viewers who may not see people find only references that are shown to them. So the answer does not tell them whether
    a person they know has ordered.
    """
    text = text.strip()
    if not text or "\0" in text:
        return None
    if not viewer.sees_people:
        return _find_shown(text, entries, viewer)
    for what, condition in meanings(text):
        for newest in functions.first_ids(entries.filter(condition), by=BY_ID, most=1):
            return f"{what}:{newest}"
    return None


def _find_shown(text: str, entries: models.QuerySet[SendLogEntry], viewer: Viewer) -> str | None:
    # Always one statement, because the time that an answer takes could tell something too.
    found = entries.filter(reference=text).order_by(*BY_ID).first()
    return f"{REFERENCE}:{found.pk}" if found and viewer.reference(found) == found.reference else None


@sensitive_variables()
def beginning(text: str, entries: models.QuerySet[SendLogEntry], viewer: Viewer) -> list[str]:
    """The first references that begin with the text and are shown to the viewer: at most MOST_TOLD + 1.

    The first LOOKED_THROUGH entries in the order of references are read. A reference that many entries share hides
    others, but no order number is shared by so many.
    """
    text = text.strip()
    if len(text) < SHORTEST_BEGINNING or "\0" in text:
        return []
    rows = entries.filter(functions.beginning_with(text, entries.db))
    rows = rows.order_by(functions.ByCharacters(F("reference")), "pk")[:LOOKED_THROUGH]
    shown = (entry.reference for entry in rows if viewer.reference(entry) == entry.reference)
    return list(dict.fromkeys(shown))[: MOST_TOLD + 1]


def meanings(text: str) -> list[tuple[str, Q]]:
    """The exact meanings of a text: a reference, an identity, an e-mail address or an address's hash."""
    # No generator: `sensitive_variables` of `find` does not hide a generator's variables in error reports.
    found = [(REFERENCE, Q(reference=text))]
    found += [(IDENTITY, Q(identity=identity)) for identity in _stored_forms(text)]
    if address := _identity(text).email:
        found.append((ADDRESS, Q(email_hash=hash_of_address(address))))
    elif HASH_PATTERN.fullmatch(text.lower()):
        found.append((ADDRESS, Q(email_hash=text.lower())))
    return found


def _stored_forms(text: str) -> list[str]:
    """The values of the column `identity` for a cookie's value, an address or a stored form."""
    found = _identity(text)
    return [found.only(way).stored_form for way in found.ways]


def _identity(text: str) -> Identity:
    """The identity that a text gives: a stored form, an address in any spelling, or a cookie's value."""
    try:
        return Identity.from_stored_form(text)
    except InvalidField:
        pass
    try:
        return Identity(email=text) if addresses.may_hold_address(text) else _by_cookie(text)
    except InvalidField:
        return NOBODY


def _by_cookie(text: str) -> Identity:
    return Identity.from_cookies({PIXEL_COOKIE: text, VTSID_COOKIE: text})


def having(what: str, entry: SendLogEntry, entries: SendLogEntries, *, most: int | None = None) -> list[int]:
    """The ids of the newest of `entries` that share `what` with `entry`; none if `entry` has no such value."""
    ids: set[int] = set()
    for condition in _conditions(what, entry):
        ids.update(functions.first_ids(entries.filter(condition), by=BY_ID, most=most))
    return sorted(ids, reverse=True)[: functions.LIMIT if most is None else most]


def condition(what: str, entry: SendLogEntry) -> Q:
    """The `Q` that matches entries which share `what` with `entry`, which must have such a value."""
    return reduce(or_, _conditions(what, entry))


def _conditions(what: str, entry: SendLogEntry) -> list[Q]:
    """Alternative conditions. Query them separately: an index serves each of them, but none serves an OR."""
    if what == REFERENCE:
        return [Q(reference=entry.reference)] if entry.reference else []
    if what == ADDRESS:
        return [Q(email_hash=entry.email_hash)] if entry.email_hash else []
    if not entry.identity:
        return []
    same = [Q(identity=entry.identity)]
    if address := _identity(entry.identity).email:
        # The same person's orders that were attributed by pixel hold the address too.
        same.append(Q(email_hash=hash_of_address(address)))
    return same
