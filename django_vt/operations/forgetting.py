"""By what a shopper is known in the tables, and what of the tables is theirs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import connections, transaction
from django.db.models import Q

from django_vt.conf import settings
from django_vt.delivery.clock import database_now
from django_vt.events import ADDRESS_PATTERN
from django_vt.identity import PIXEL_ID_PATTERN, PIXEL_PATTERN, VTSID_PATTERN
from django_vt.management.arguments import WrongArgument
from django_vt.models import RememberedIdentity, SendLogEntry
from django_vt.models.db import with_retries
from django_vt.models.send_log import SendLogQuerySet
from django_vt.operations.purging import Pace
from django_vt.recording.attribution import key_of
from django_vt.recording.record import hash_of_address

READ_AT_ONCE = 2000  # remembered identities a query
PIXEL, VTSID, EMAIL = "pixel:", "vtsid:", "email:"
BEYOND_ALL_SESSIONS = "~"  # comes after whatever a session's id may hold


def visitor_of(identity: str) -> str:
    """The visitor of a stored identity: `pixel:<user>_`, with which all of its sessions begin, or `vtsid:…`."""
    if identity.startswith(PIXEL):
        return f"{identity.partition('_')[0]}_"
    return identity if identity.startswith(VTSID) else ""


def visitor_by_pixel(name: str, given: str) -> str:
    """The visitor of a pixel cookie, or of the user id in it alone."""
    cookie = PIXEL_PATTERN.fullmatch(given)
    if not cookie and not PIXEL_ID_PATTERN.fullmatch(given):
        raise WrongArgument(name, "must be the value of the cookie _vt_user, or the user id before its first _")
    return f"{PIXEL}{cookie[1] if cookie else given}_"


def visitor_by_vtsid(name: str, given: str) -> str:
    """The visitor of the site's own id."""
    if not VTSID_PATTERN.fullmatch(given):
        raise WrongArgument(name, "must be the value of the cookie _vtsid")
    return f"{VTSID}{given}"


def address(name: str, given: str) -> str:
    """An address without the blanks around it."""
    text = given.strip()
    if not ADDRESS_PATTERN.fullmatch(text):
        raise WrongArgument(name, "must be an e-mail address")
    return text


class Shopper:
    """Known by an address or as a visitor; `trace` finds which visitors they have been besides.

    Who asks for an address to be forgotten has been one visitor or several, whose ids stand beside the address in
    the same entries. Other entries of these visitors are theirs too, but for those that hold another address: one
    browser can be a family's, or that of the shop's own staff, who order for many by telephone.
    """

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


# Forgetting a shopper, part by part, and counting what was theirs.

AT_ONCE = 400  # rows a transaction at most
LOOKED_AT = ("pk", "identity", "reference", "email_hash", "status", "claim", "due_at")


class Forgetting:
    """Counts as it goes: entries by the status that they had, those with an address, remembered identities.

    `others`: entries of the same visitors that hold another address, and are left. `in_hands_until`: when the lease
    of the last worker ends that had one of them in its hands, None where none had; ms of the database's clock.
    """

    def __init__(self, shopper: Shopper, using: str) -> None:
        self._shopper = shopper
        self._using = using
        self._pace = Pace(AT_ONCE, using)
        self.statuses: Counter[str] = Counter()
        self.with_address = 0
        self.remembered = 0
        self.others = 0
        self.in_hands_until: int | None = None

    def preview(self) -> None:
        """Count what would be forgotten, and change nothing."""
        self._shopper.trace()
        rows = {row["pk"]: row for part in self._shopper.entries() for row in part.values(*LOOKED_AT)}
        self._count(list(rows.values()))
        self.remembered = sum(1 for _ in self._shopper.remembered())
        self._count_others()

    def run(self) -> None:
        """Forget; may be stopped at any time, and run again."""
        self._shopper.trace()
        remembered = dict(self._shopper.remembered())
        # What leads to others goes after these, so that who is interrupted finds the rest again.
        for visitor, part in self._shopper.found():
            self._forget(part)
            self._forget_remembered([pk for pk, visitors in remembered.items() if visitor in visitors])
        self._forget_remembered(list(remembered))
        for part in self._shopper.named():
            self._forget(part)
        self._count_others()

    def _forget(self, part: SendLogQuerySet) -> None:
        while rows := self._forget_some(part):
            self._count(rows)

    def _forget_some(self, part: SendLogQuerySet) -> Sequence[dict[str, Any]]:
        with self._pace.transaction() as most:
            return with_retries(lambda: self._forget_first(part, most), self._using)

    def _forget_first(self, part: SendLogQuerySet, most: int) -> Sequence[dict[str, Any]]:
        with transaction.atomic(using=self._using):
            # Locked, where the database can: what is counted as pending must not have been sent meanwhile.
            rows = list(part.select_for_update().values(*LOOKED_AT)[:most])
            telling = [row["pk"] for row in rows if self._shopper.is_told_by(row["reference"], row["identity"])]
            theirs = SendLogEntry.objects.using(self._using).filter(pk__in=[row["pk"] for row in rows])
            theirs.forget(telling)
        return rows

    def _forget_remembered(self, ids: Sequence[int]) -> None:
        rows = RememberedIdentity.objects.using(self._using)
        for start in range(0, len(ids), AT_ONCE):
            self.remembered += rows.filter(pk__in=ids[start : start + AT_ONCE]).delete()[0]

    def _count(self, rows: Sequence[dict[str, Any]]) -> None:
        now = database_now(self._using)
        latest = now + int(settings.LEASE * 1000)
        self.statuses.update(row["status"] for row in rows)
        self.with_address += sum(bool(row["email_hash"]) for row in rows)
        ends = [row["due_at"] for row in rows if row["claim"] and now < row["due_at"] <= latest]
        self.in_hands_until = max([*ends, *filter(None, [self.in_hands_until])], default=None)

    def _count_others(self) -> None:
        self.others = sum(part.count() for part in self._shopper.others())
