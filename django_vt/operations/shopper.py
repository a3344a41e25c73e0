"""How a shopper is identified in the tables, and which rows are theirs."""

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
BEYOND_ALL_SESSIONS = "~"  # sorts after every character that a session id may hold
SEARCHED = ("pk", "payload", "identity", "reference", "email_hash")
REMEMBERED = ("pk", "key", "account_id", "identity")


def visitor_of(identity: str) -> str:
    """The visitor of a stored identity: `pixel:<user>_`, the prefix of all the user's sessions, or `vtsid:…`."""
    if identity.startswith(PIXEL):
        return f"{identity.partition('_')[0]}_"
    return identity if identity.startswith(VTSID) else ""


def visitor_by_pixel(given: str) -> str:
    """The visitor of a pixel cookie, or of the cookie's user id alone."""
    cookie = PIXEL_PATTERN.fullmatch(given)
    if not cookie and not PIXEL_ID_PATTERN.fullmatch(given):
        raise InvalidField("pixel", "must be the value of the cookie _vt_user, or the user id before its first _")
    return f"{PIXEL}{cookie[1] if cookie else given}_"


def visitor_by_vtsid(given: str) -> str:
    """The visitor of the shop's own id, `_vtsid`."""
    if not VTSID_PATTERN.fullmatch(given):
        raise InvalidField("vtsid", "must be the value of the cookie _vtsid")
    return f"{VTSID}{given}"


def checked_address(given: str) -> str:
    """The address, if one such can have been recorded. It may lack an `@`: some shops record the login name."""
    if not given.strip() or "\0" in given or len(given) > LONGEST_ADDRESS:
        raise InvalidField("address", "must be an e-mail address, or what was recorded as one")
    return given


def ids_on(entries: SendLogQuerySet) -> range:
    """The range from the send log's first id to its last: a search of all texts reads at most that many entries."""
    ends = entries.aggregate(first=Min("pk"), last=Max("pk"))
    return range(0) if ends["first"] is None else range(ends["first"], ends["last"] + 1)


class Shopper:
    """A shopper, known by an address or as a visitor; `trace` finds which other visitors they have been.

    The owner of an address has been one visitor or several, whose ids stand beside the address in the same entries.
    Other entries of these visitors are the shopper's too, except those that hold another address: several people may
    use one browser, such as a family, or the shop's staff who take orders by telephone.
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
        """The shopper known by the one argument given. Raises `InvalidField` if it is invalid, or not exactly one.

        `texts`: whether to look for the address in the texts of all events too, which reads the whole send log.
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
        """Find the visitors that the shopper has been, until no new ones turn up."""
        while fresh := {*self._visitors_in_entries(), *self._visitors_remembered()} - self._visitors:
            self._found += sorted(fresh)

    def found(self) -> Iterator[tuple[str, SendLogQuerySet]]:
        """The visitors that `trace` found, the last first, with their entries that hold no address."""
        for visitor in reversed(self._found):
            yield visitor, self._of_visitor(visitor).filter(email_hash="")

    def named(self) -> Iterator[SendLogQuerySet]:
        """The entries that hold the given address or visitor, in parts that may overlap, each found by one index."""
        for visitor in self._given:
            yield self._of_visitor(visitor)
        yield from self._by_address()

    @cached_property
    def mentioned(self) -> Sequence[int]:
        """The ids of the entries that mention the address anywhere. Reads the whole send log, once."""
        if self._address is None or not self._texts:
            return []
        return [row["pk"] for row in self._rows_with_mentions(self._address)]

    def entries(self) -> Iterator[SendLogQuerySet]:
        """All entries of the shopper, in parts that may overlap."""
        for _visitor, part in self.found():
            yield part
        yield from self.named()
        yield from self.mentioning(READ_AT_ONCE)

    def mentioning(self, at_once: int) -> Iterator[SendLogQuerySet]:
        """The entries that mention the address, in parts of `at_once`."""
        for start in range(0, len(self.mentioned), at_once):
            yield self._entries.filter(pk__in=self.mentioned[start : start + at_once])

    def others(self) -> Iterator[SendLogQuerySet]:
        """The entries of the found visitors that hold another address."""
        for visitor in self._found:
            yield self._of_visitor(visitor).exclude(email_hash__in=("", *self._hashes))

    def remembered(self) -> Iterator[tuple[int, set[str]]]:
        """The primary keys of the shopper's remembered identities, and the visitors in each.

        These are the identities remembered for the shopper's orders, and those that name the shopper. All rows are
        read: the table is small, as it holds only orders that are not paid yet.
        """
        orders = set(self._orders())
        for pk, key, account_id, text in self._all_remembered():
            identity = object_of(text) or {}
            visitors = set(_visitors_in(identity))
            if (key, account_id) in orders or visitors & self._visitors or self._are_in(texts_of(identity)):
                yield pk, visitors

    def is_told_by(self, reference: str, identity: str) -> bool:
        """Whether a reference identifies the shopper: it holds any address, or one of their ids as a separate word."""
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
        # MariaDB uses its index for `istartswith`, PostgreSQL for `startswith`, SQLite for the range.
        span = Q(identity__gte=visitor, identity__lt=visitor + BEYOND_ALL_SESSIONS) if self._ranges_by_bytes else Q()
        return self._entries.filter(span, identity__startswith=visitor, identity__istartswith=visitor)

    def _exactly(self, column: str, text: str) -> SendLogQuerySet:
        """Match by the index, then byte by byte: on MariaDB, `jose@…` also equals another person's `josé@…`."""
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
        """The whole log, in many small queries: a single one would keep SQLite's writers waiting."""
        ids = ids_on(self._entries)
        for start in range(ids.start, ids.stop, SEARCHED_AT_ONCE):
            yield self._entries.filter(pk__gte=start, pk__lt=start + SEARCHED_AT_ONCE)

    def _visitors_in_entries(self) -> Iterator[str]:
        """The visitors in entries with the address, but not if another address comes first, as in a gift order."""
        mentioned = [part.filter(email_hash="") for part in self.mentioning(READ_AT_ONCE)]
        for part in (*self._by_address(), *mentioned):
            for identity in part.exclude(identity="").values_list("identity", flat=True).distinct():
                yield from {visitor_of(identity)} - {""}

    def _visitors_remembered(self) -> Iterator[str]:
        for _pk, visitors in self.remembered():
            yield from visitors

    def _orders(self) -> Iterator[tuple[str, str]]:
        """The keys and accounts under which the shopper's orders may be remembered; an unknown account is empty."""
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
