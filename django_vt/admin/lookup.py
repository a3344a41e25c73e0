"""Looking somebody or something up, without what was typed ever standing in a URL.

What staff type can be a shopper's address, and URLs are kept: in access logs, in the browser's history, in `Referer`.
So the search is a POST, and what it finds is addressed by the number of one entry that has it:
`?same=address:123` is the list of all entries with the same e-mail address as entry 123. Not even its hash stands
there: whoever has a list of addresses could tell from a hash which of them was looked up.
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
SHORTEST_BEGINNING = 3  # characters: what is shorter begins too many
MOST_TOLD, LOOKED_THROUGH = 5, 50
# The indexes by which people and orders are found end with the id.
BY_ID = ("-pk",)


@sensitive_variables()
def find(text: str, entries: models.QuerySet[SendLogEntry], viewer: Viewer) -> str | None:
    """The value of `same` for what staff have typed; None where no entry has it.

    Who may not see people finds what is shown to them, which is a reference: whether a person they know has ordered,
    and what, is not told by an answer either.
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
    # One statement, whatever it finds: an answer that takes longer is one.
    found = entries.filter(reference=text).order_by(*BY_ID).first()
    return f"{REFERENCE}:{found.pk}" if found and viewer.reference(found) == found.reference else None


@sensitive_variables()
def beginning(text: str, entries: models.QuerySet[SendLogEntry], viewer: Viewer) -> list[str]:
    """The first references that begin so, of those that are shown to the viewer: one more than are told at most.

    They are read in their order, and of each as many entries as it has. A reference that thousands share takes the
    place of others, which is no loss: no order's number is one.
    """
    text = text.strip()
    if len(text) < SHORTEST_BEGINNING or "\0" in text:
        return []
    rows = entries.filter(functions.beginning_with(text, entries.db))
    rows = rows.order_by(functions.ByCharacters(F("reference")), "pk")[:LOOKED_THROUGH]
    shown = (entry.reference for entry in rows if viewer.reference(entry) == entry.reference)
    return list(dict.fromkeys(shown))[: MOST_TOLD + 1]


def meanings(text: str) -> list[tuple[str, Q]]:
    """What a text can mean, exactly: a reference, an identity, an e-mail address or an address's hash."""
    # No generator: in a report of an error its variables would not count as `find`'s, and be shown.
    found = [(REFERENCE, Q(reference=text))]
    found += [(IDENTITY, Q(identity=identity)) for identity in _stored_forms(text)]
    if address := _identity(text).email:
        found.append((ADDRESS, Q(email_hash=hash_of_address(address))))
    elif HASH_PATTERN.fullmatch(text.lower()):
        found.append((ADDRESS, Q(email_hash=text.lower())))
    return found


def _stored_forms(text: str) -> list[str]:
    """A pixel cookie's or `_vtsid`'s value, an address or a stored form, as the column `identity` would hold it."""
    found = _identity(text)
    return [found.only(way).stored_form for way in found.ways]


def _identity(text: str) -> Identity:
    """Whom a text can name: by an address however it is spelt, by a cookie's value, or by a stored form."""
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
    """The ids of the newest of `entries` that have the same as an entry; none where the entry has none of it."""
    ids: set[int] = set()
    for condition in _conditions(what, entry):
        ids.update(functions.first_ids(entries.filter(condition), by=BY_ID, most=most))
    return sorted(ids, reverse=True)[: functions.LIMIT if most is None else most]


def condition(what: str, entry: SendLogEntry) -> Q:
    """What those have that have the same as an entry which has it."""
    return reduce(or_, _conditions(what, entry))


def _conditions(what: str, entry: SendLogEntry) -> list[Q]:
    """Any of which will do. One at a time, as an index serves each, and none serves one or the other."""
    if what == REFERENCE:
        return [Q(reference=entry.reference)] if entry.reference else []
    if what == ADDRESS:
        return [Q(email_hash=entry.email_hash)] if entry.email_hash else []
    if not entry.identity:
        return []
    same = [Q(identity=entry.identity)]
    if address := _identity(entry.identity).email:
        # Who is known by an address has also placed orders that went by pixel and hold it.
        same.append(Q(email_hash=hash_of_address(address)))
    return same
