"""By what a shopper is known in the tables, and what of the tables is theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connections
from django.db.models import Q

from django_vt.exceptions import InvalidField
from django_vt.identity import PIXEL_ID_PATTERN, PIXEL_PATTERN, VTSID_PATTERN
from django_vt.models import RememberedIdentity, SendLogEntry
from django_vt.models.send_log import SendLogQuerySet
from django_vt.protocol.addresses import hash_of_address, is_address
from django_vt.recording.attribution import key_of

READ_AT_ONCE = 2000  # remembered identities a query
PIXEL, VTSID, EMAIL = "pixel:", "vtsid:", "email:"
BEYOND_ALL_SESSIONS = "~"  # comes after whatever a session's id may hold


def visitor_of(identity: str) -> str:
    """The visitor of a stored identity: `pixel:<user>_`, with which all of its sessions begin, or `vtsid:…`."""
    if identity.startswith(PIXEL):
        return f"{identity.partition('_')[0]}_"
    return identity if identity.startswith(VTSID) else ""


def visitor_by_pixel(given: str) -> str:
    """The visitor of a pixel cookie, or of the user id in it alone."""
    cookie = PIXEL_PATTERN.fullmatch(given)
    if not cookie and not PIXEL_ID_PATTERN.fullmatch(given):
        raise InvalidField("pixel", "must be the value of the cookie _vt_user, or the user id before its first _")
    return f"{PIXEL}{cookie[1] if cookie else given}_"


def visitor_by_vtsid(given: str) -> str:
    """The visitor of the site's own id."""
    if not VTSID_PATTERN.fullmatch(given):
        raise InvalidField("vtsid", "must be the value of the cookie _vtsid")
    return f"{VTSID}{given}"


def address_in(given: str) -> str:
    """An address without the blanks around it."""
    text = given.strip()
    if not is_address(text):
        raise InvalidField("address", "must be an e-mail address")
    return text


class Shopper:
    """Known by an address or as a visitor; `trace` finds which visitors they have been besides.

    Who asks for an address to be forgotten has been one visitor or several, whose ids stand beside the address in
    the same entries. Other entries of these visitors are theirs too, but for those that hold another address: one
    browser can be a family's, or that of the shop's own staff, who order for many by telephone.
    """

    @classmethod
    def known_by(cls, using: str, *, address: str | None, pixel: str | None, vtsid: str | None) -> Shopper:
        """Who is known by the one that is given; raises `InvalidField` where that is no such, or not just one is."""
        if [address, pixel, vtsid].count(None) != 2:
            raise InvalidField("address", "give an e-mail address, or a pixel id, or a vtsid: one of them")
        if address is not None:
            return cls(using, address=address_in(address))
        if pixel is not None:
            return cls(using, visitor=visitor_by_pixel(pixel))
        return cls(using, visitor=visitor_by_vtsid(str(vtsid)))

    def __init__(self, using: str, *, address: str = "", visitor: str = "") -> None:
        self._entries = SendLogEntry.objects.using(using)
        self._remembered = RememberedIdentity.objects.using(using)
        self._ranges_by_bytes = connections[using].vendor == "sqlite"
        self._address = address
        self._hash = hash_of_address(address)
        self._given = {visitor} - {""}
        self._found: list[str] = []

    def trace(self) -> None:
        """Find the visitors that they have been, until there are no more."""
        while fresh := {*self._visitors_in_entries(), *self._visitors_remembered()} - self._visitors:
            self._found += sorted(fresh)

    def found(self) -> Iterator[tuple[str, SendLogQuerySet]]:
        """The visitors that were found, the last first, and their entries without an address."""
        for visitor in reversed(self._found):
            yield visitor, self._of_visitor(visitor).filter(email_hash="")

    def named(self) -> Iterator[SendLogQuerySet]:
        """The entries that what was given names itself, in parts that may overlap."""
        for visitor in self._given:
            yield self._of_visitor(visitor)
        yield from self._by_address()

    def entries(self) -> Iterator[SendLogQuerySet]:
        """All that are theirs, in parts that may overlap, each found by one index."""
        for _visitor, part in self.found():
            yield part
        yield from self.named()

    def others(self) -> Iterator[SendLogQuerySet]:
        """The entries of the visitors that were found which hold another address."""
        for visitor in self._found:
            yield self._of_visitor(visitor).exclude(email_hash__in=("", self._hash))

    def remembered(self) -> Iterator[tuple[int, set[str]]]:
        """The primary keys of the remembered identities that are theirs, and the visitors in each.

        Those of their orders, and those that name them. For these all are read: the table holds orders that are not
        paid yet, and no others.
        """
        keys = set(self._keys_of_orders())
        for pk, key, text in self._all_remembered():
            identity = json.loads(text)
            visitors = set(_visitors_in(identity))
            if key in keys or visitors & self._visitors or self._is_theirs(identity.get("email", "")):
                yield pk, visitors

    def is_told_by(self, reference: str, identity: str) -> bool:
        """Whether a reference tells of them: holds an address, or an id of theirs as a word of its own."""
        ids = {each for known in (identity, *self._visitors) for each in _ids_in(known)}
        return "@" in reference or any(
            re.search(rf"(?<![A-Za-z0-9]){re.escape(each)}(?![A-Za-z0-9])", reference) for each in ids
        )

    @property
    def _visitors(self) -> set[str]:
        return self._given | {*self._found}

    def _is_theirs(self, given: str) -> bool:
        return bool(self._address) and given.lower() == self._address.lower()

    def _by_address(self) -> Iterator[SendLogQuerySet]:
        if self._address:
            for text in sorted({self._address, self._address.lower()}):
                yield self._exactly("reference", text)
            yield self._exactly("identity", EMAIL + self._address.lower())
            yield self._entries.filter(email_hash=self._hash)

    def _of_visitor(self, visitor: str) -> SendLogQuerySet:
        if visitor.startswith(VTSID):
            return self._exactly("identity", visitor)
        # MariaDB's index serves the second of the conditions, PostgreSQL's the first, SQLite's the range.
        span = Q(identity__gte=visitor, identity__lt=visitor + BEYOND_ALL_SESSIONS) if self._ranges_by_bytes else Q()
        return self._entries.filter(span, identity__startswith=visitor, identity__istartswith=visitor)

    def _exactly(self, column: str, text: str) -> SendLogQuerySet:
        """Equal by the index, and then by the byte: to MariaDB another person's `josé@…` equals `jose@…`."""
        return self._entries.filter(Q(**{column: text}), Q(**{f"{column}__startswith": text}))

    def _visitors_in_entries(self) -> Iterator[str]:
        for part in self._by_address():
            for identity in part.exclude(identity="").values_list("identity", flat=True).distinct():
                yield from {visitor_of(identity)} - {""}

    def _visitors_remembered(self) -> Iterator[str]:
        for _pk, visitors in self.remembered():
            yield from visitors

    def _keys_of_orders(self) -> Iterator[str]:
        for part in self.entries():
            for reference, account_id in part.exclude(reference="").values_list("reference", "account_id").distinct():
                yield key_of(reference)
                yield key_of(reference, account_id)

    def _all_remembered(self) -> Iterator[tuple[int, str, str]]:
        last = 0
        while rows := list(self._remembered.filter(pk__gt=last).order_by("pk").values_list(*REMEMBERED)[:READ_AT_ONCE]):
            yield from rows
            last = rows[-1][0]


REMEMBERED = ("pk", "key", "identity")


def _ids_in(known: str) -> Iterator[str]:
    """The ids in a stored identity or a visitor."""
    way, _colon, value = known.partition(":")
    if way == "pixel":
        yield from filter(None, value.split("_"))
    elif way == "vtsid":
        yield value


def _visitors_in(identity: Mapping[str, Any]) -> Iterator[str]:
    if user_id := identity.get("user_id"):
        yield f"{PIXEL}{user_id}_"
    if vtsid := identity.get("vtsid"):
        yield f"{VTSID}{vtsid}"
