"""By what a shopper is known in the tables, and what of the tables is theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.db import connections
from django.db.models import Max, Min, Q

from django_vt.exceptions import InvalidField
from django_vt.identity import PIXEL_ID_PATTERN, PIXEL_PATTERN, VTSID_PATTERN
from django_vt.models import RememberedIdentity, SendLogEntry
from django_vt.models.send_log import SendLogQuerySet
from django_vt.operations.mentions import LONGEST_ADDRESS, Mentions, texts_of
from django_vt.protocol.payloads import object_of
from django_vt.recording.attribution import key_of

READ_AT_ONCE = 2000  # remembered identities a query
SEARCHED_AT_ONCE = 20_000  # ids of entries a query
PIXEL, VTSID, EMAIL = "pixel:", "vtsid:", "email:"
BEYOND_ALL_SESSIONS = "~"  # comes after whatever a session's id may hold
SEARCHED = ("pk", "payload", "identity", "reference", "email_hash")
REMEMBERED = ("pk", "key", "account_id", "identity")


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


def checked_address(given: str) -> str:
    """What can have been recorded as an address: an event may go by a customer's login name, which has no `@`."""
    if not given.strip() or "\0" in given or len(given) > LONGEST_ADDRESS:
        raise InvalidField("address", "must be an e-mail address, or what was recorded as one")
    return given


def ids_on(entries: SendLogQuerySet) -> range:
    """From the first id of the send log to the last: so many entries at most does a search of all texts read."""
    ends = entries.aggregate(first=Min("pk"), last=Max("pk"))
    return range(0) if ends["first"] is None else range(ends["first"], ends["last"] + 1)


class Shopper:
    """Known by an address or as a visitor; `trace` finds which visitors they have been besides.

    Who asks for an address to be forgotten has been one visitor or several, whose ids stand beside the address in
    the same entries. Other entries of these visitors are theirs too, but for those that hold another address: one
    browser can be a family's, or that of the shop's own staff, who order for many by telephone.
    """

    @classmethod
    def known_by(
        cls,
        using: str,
        *,
        address: str | None = None,
        pixel: str | None = None,
        vtsid: str | None = None,
        texts: bool = True,
    ) -> Shopper:
        """Who is known by the one that is given; raises `InvalidField` where that is no such, or not just one is.

        `texts`: whether the address is looked for in the texts of all events too, for which the whole send log is read.
        """
        if [address, pixel, vtsid].count(None) != 2:
            raise InvalidField("address", "give an e-mail address, or a pixel id, or a vtsid: one of them")
        if address is not None:
            return cls(using, address=checked_address(address), texts=texts)
        if pixel is not None:
            return cls(using, visitor=visitor_by_pixel(pixel))
        return cls(using, visitor=visitor_by_vtsid(str(vtsid)))

    def __init__(self, using: str, *, address: str = "", visitor: str = "", texts: bool = True) -> None:
        self._entries = SendLogEntry.objects.using(using)
        self._remembered = RememberedIdentity.objects.using(using)
        self._ranges_by_bytes = connections[using].vendor == "sqlite"
        self._address = Mentions(address) if address else None
        self._texts = texts
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
        """The entries that what was given names itself, in parts that may overlap, each found by one index."""
        for visitor in self._given:
            yield self._of_visitor(visitor)
        yield from self._by_address()

    @cached_property
    def mentioned(self) -> Sequence[int]:
        """The ids of the entries that mention the address anywhere: the whole send log is read for these, once."""
        if self._address is None or not self._texts:
            return []
        return [row["pk"] for row in self._rows_with_mentions(self._address)]

    def entries(self) -> Iterator[SendLogQuerySet]:
        """All that are theirs, in parts that may overlap."""
        for _visitor, part in self.found():
            yield part
        yield from self.named()
        yield from self.mentioning(READ_AT_ONCE)

    def mentioning(self, at_once: int) -> Iterator[SendLogQuerySet]:
        """The entries that mention the address, in parts of so many."""
        for start in range(0, len(self.mentioned), at_once):
            yield self._entries.filter(pk__in=self.mentioned[start : start + at_once])

    def others(self) -> Iterator[SendLogQuerySet]:
        """The entries of the visitors that were found which hold another address."""
        for visitor in self._found:
            yield self._of_visitor(visitor).exclude(email_hash__in=("", *self._hashes))

    def remembered(self) -> Iterator[tuple[int, set[str]]]:
        """The primary keys of the remembered identities that are theirs, and the visitors in each.

        Those of their orders, and those that name them. For these all are read: the table holds orders that are not
        paid yet, and no others.
        """
        orders = set(self._orders())
        for pk, key, account_id, text in self._all_remembered():
            identity = object_of(text) or {}
            visitors = set(_visitors_in(identity))
            if (key, account_id) in orders or visitors & self._visitors or self._are_in(texts_of(identity)):
                yield pk, visitors

    def is_told_by(self, reference: str, identity: str) -> bool:
        """Whether a reference tells of them: holds an address, or an id of theirs as a word of its own."""
        ids = {each for known in (identity, *self._visitors) for each in _ids_in(known)}
        return "@" in reference or self._are_in([reference]) or any(
            re.search(rf"(?<![A-Za-z0-9]){re.escape(each)}(?![A-Za-z0-9])", reference) for each in ids
        )  # fmt: skip

    @property
    def _visitors(self) -> set[str]:
        return self._given | {*self._found}

    @property
    def _hashes(self) -> set[str]:
        return self._address.hashes if self._address else set()

    def _are_in(self, texts: Iterator[str] | Sequence[str]) -> bool:
        return self._address is not None and any(map(self._address.are_in, texts))

    def _by_address(self) -> Iterator[SendLogQuerySet]:
        if self._address:
            for text in sorted(self._address.spellings):
                yield self._exactly("identity", EMAIL + text)
            yield self._entries.filter(email_hash__in=self._hashes)

    def _of_visitor(self, visitor: str) -> SendLogQuerySet:
        if visitor.startswith(VTSID):
            return self._exactly("identity", visitor)
        # MariaDB's index serves the second of the conditions, PostgreSQL's the first, SQLite's the range.
        span = Q(identity__gte=visitor, identity__lt=visitor + BEYOND_ALL_SESSIONS) if self._ranges_by_bytes else Q()
        return self._entries.filter(span, identity__startswith=visitor, identity__istartswith=visitor)

    def _exactly(self, column: str, text: str) -> SendLogQuerySet:
        """Equal by the index, and then by the byte: to MariaDB another person's `josé@…` equals `jose@…`."""
        return self._entries.filter(Q(**{column: text}), Q(**{f"{column}__startswith": text}))

    def _rows_with_mentions(self, address: Mentions) -> Iterator[dict[str, Any]]:
        needles = address.needles()
        likely = Q()
        for needle in needles:
            for column in ("payload", "reference", "identity"):
                likely |= Q(**{f"{column}__icontains": needle})
        for part in self._windows():
            for row in part.filter(likely).order_by("pk").values(*SEARCHED).iterator(READ_AT_ONCE):
                if address.are_in_payload(row["payload"]) or self._are_in([row["reference"], row["identity"]]):
                    yield row

    def _windows(self) -> Iterator[SendLogQuerySet]:
        """The whole log in queries that each read little: one that reads all would keep SQLite's writers waiting."""
        ids = ids_on(self._entries)
        for start in range(ids.start, ids.stop, SEARCHED_AT_ONCE):
            yield self._entries.filter(pk__gte=start, pk__lt=start + SEARCHED_AT_ONCE)

    def _visitors_in_entries(self) -> Iterator[str]:
        """Those beside the address, but not where it is a second one: that is another's order, as of a present."""
        mentioned = [part.filter(email_hash="") for part in self.mentioning(READ_AT_ONCE)]
        for part in (*self._by_address(), *mentioned):
            for identity in part.exclude(identity="").values_list("identity", flat=True).distinct():
                yield from {visitor_of(identity)} - {""}

    def _visitors_remembered(self) -> Iterator[str]:
        for _pk, visitors in self.remembered():
            yield from visitors

    def _orders(self) -> Iterator[tuple[str, str]]:
        """The keys and accounts under which their orders may be remembered: an account may not have been known then."""
        for part in self.entries():
            for reference, account_id in part.exclude(reference="").values_list("reference", "account_id").distinct():
                yield key_of(reference), ""
                yield key_of(reference), account_id

    def _all_remembered(self) -> Iterator[tuple[int, str, str, str]]:
        last = 0
        while rows := list(self._remembered.filter(pk__gt=last).order_by("pk").values_list(*REMEMBERED)[:READ_AT_ONCE]):
            yield from rows
            last = rows[-1][0]


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
