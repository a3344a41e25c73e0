"""The shop's orders without an entry: an import, a new checkout or a telephone order did not send the signal.

The setting ORDERS, and each adapter, gives the shop's own orders of a period. Each order is looked up by its
deduplication key. None is kept in memory, so there can be millions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from django.apps import apps
from django.utils import timezone

from django_vt import hooks
from django_vt.accounts import account_for, known_accounts, only_account
from django_vt.conf import settings
from django_vt.events import Confirmation
from django_vt.exceptions import DjangoVTError, InvalidField
from django_vt.models import OrdersLook, RememberedIdentity, SendLogEntry, Status
from django_vt.models.db import default_alias
from django_vt.protocol import reasons
from django_vt.protocol.values import showable
from django_vt.recording import record
from django_vt.recording.attribution import key_of

AT_ONCE = 500  # orders a query
# An adapter's AppConfig can name the orders of the shop that it adapts.
OF_AN_ADAPTER = "django_vt_orders"


class OrdersUnknown(DjangoVTError):
    """The shop's orders cannot be read. The message says why, and holds no data of an order."""


@dataclass(frozen=True, repr=False)
class UnusableOrder:
    """What ORDERS yields for an order that cannot become a `Confirmation`. `problem` says why not."""

    order_id: str
    problem: str

    @classmethod
    def of(cls, order_id: object, error: Exception) -> UnusableOrder:
        """The order whose `Confirmation` could not be made; only what is safe to show of `error` is kept."""
        return cls(showable(order_id), str(error) if isinstance(error, InvalidField) else type(error).__name__)


def usable(make: Callable[[], Confirmation], order_id: object) -> Confirmation | UnusableOrder:
    """What `make` returns, or an `UnusableOrder` if it raises, so that one bad order does not stop the look."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - whatever the order holds
        return UnusableOrder.of(order_id, error)


@dataclass(frozen=True, repr=False)
class Unreported:
    """An order without a valid entry. `event` would report it; None if the order is unusable, see `problem`."""

    order_id: str
    event: Confirmation | None = None
    problem: str = ""


class Placed(NamedTuple):
    """An order, and the account of the shop that it was placed in; the account is empty if it is unknown."""

    account_id: str
    order: Confirmation | UnusableOrder

    @property
    def key(self) -> str:
        """The key under which the order's account may be remembered; empty if the account is known."""
        return "" if self.account_id or isinstance(self.order, UnusableOrder) else key_of(self.order.reference)

    def keys(self) -> set[str | None]:
        """The keys under which the order may be recorded: its account's, or those of all accounts if it is unknown."""
        if isinstance(self.order, UnusableOrder):
            return set()
        accounts = [self.account_id] if self.account_id else [*(known_accounts() or ()), ""]
        return {record.dedup_key(account, self.order.type, self.order.dedup_key) for account in accounts}


class Look:
    """A look for the unreported orders placed from `since` on and before `until`.

    `account_id`: only this account's orders, and those without a known account, which are then reported for this one.
    It counts the orders `looked_at`, `found` without an entry, `reported` now, and `left` unreported. At the end the
    counts are stored for `last_look`.
    """

    def __init__(
        self,
        since: datetime,
        until: datetime,
        *,
        report: bool = False,
        using: str | None = None,
        account_id: str | None = None,
    ) -> None:
        self._since = since
        self._until = until
        self._report = report
        self._using = using or default_alias()
        self._account_id = account_id or ""
        self.looked_at = self.found = self.reported = 0

    @property
    def left(self) -> int:
        """How many orders are still unreported."""
        return self.found - self.reported

    def run(self) -> Iterator[Unreported]:
        """Yield each unreported order; with `report`, record it first.

        An order is recorded only once, even if this runs twice at the same time. Raises `OrdersUnknown` if the shop's
        orders cannot be read.
        """
        orders = _orders(self._since, self._until)
        while some := list(islice(orders, AT_ONCE)):
            wanted = [each for each in _remembered(some, self._using) if self._wants(each)]
            self.looked_at += len(wanted)
            for placed, order in _without_entry(wanted, self._using):
                self.found += 1
                self.reported += self._report and order.event is not None and self._record(order.event, placed)
                yield order
        self._store()

    def _wants(self, placed: Placed) -> bool:
        return not self._account_id or placed.account_id in {"", self._account_id}

    def _record(self, event: Confirmation, placed: Placed) -> bool:
        entry = record.track(event, using=self._using, account_id=placed.account_id or self._account_id or None)
        return entry is not None and not (entry.status == Status.SKIPPED and entry.reason.startswith(reasons.INVALID))

    def _store(self) -> None:
        values = {"at": timezone.now(), "since": self._since, "found": self.found, "reported": self.reported}
        OrdersLook.objects.using(self._using).update_or_create(account_id=self._account_id, defaults=values)


def last_look(using: str | None = None, account_id: str = "") -> OrdersLook | None:
    """The result and the time of the last look; None if there was none.

    `account_id`: the last look at this account's orders alone.
    """
    return OrdersLook.objects.using(using or default_alias()).filter(account_id=account_id).first()


def are_known() -> bool:
    """Whether ORDERS or an adapter gives the shop's orders."""
    return bool(_paths())


def _paths() -> list[str]:
    of_adapters = (getattr(config, OF_AN_ADAPTER, None) for config in apps.get_app_configs())
    return list(dict.fromkeys(filter(None, (settings.ORDERS, *of_adapters))))


def _orders(since: datetime, until: datetime) -> Iterator[Placed]:
    paths = _paths()
    if not paths:
        raise OrdersUnknown('DJANGO_VT["ORDERS"] does not say which the shop\'s orders are.')
    try:
        for path in paths:
            for given in hooks.ask(path, since, until):
                yield _placed(given)
    except OrdersUnknown:
        raise
    except DjangoVTError as error:
        # This app's own errors name a field, and repeat no value.
        raise OrdersUnknown(f"ORDERS failed: {error}") from None
    except Exception as error:  # noqa: BLE001 - the shop has written it
        # Drop the text and the cause: both can hold an order's data.
        raise OrdersUnknown(f"ORDERS raised {type(error).__name__}.") from None


def _placed(given: Any) -> Placed:
    """Read what ORDERS yields for one order: a `Confirmation`, or a pair of the account and a `Confirmation`."""
    account_id, order = given if isinstance(given, tuple) and len(given) == 2 else (None, given)
    if isinstance(order, Confirmation):
        return Placed(account_for(order, None, account_id), order)
    if isinstance(order, UnusableOrder):
        return Placed(account_id or "", order)
    raise OrdersUnknown(f"ORDERS gave a {type(order).__name__} where it is to give a Confirmation.")


def _remembered(orders: Sequence[Placed], using: str) -> Sequence[Placed]:
    """The orders; if an order's account is unknown, with the account that was remembered at the checkout."""
    keys = {placed.key for placed in orders} - {""}
    if not keys or known_accounts() == () or only_account():
        return orders
    found: dict[str, list[str]] = {}
    rows = RememberedIdentity.objects.using(using).filter(key__in=keys).exclude(account_id="")
    for key, account_id in rows.values_list("key", "account_id"):
        found.setdefault(key, []).append(account_id)
    of = {key: accounts[0] for key, accounts in found.items() if len(accounts) == 1}
    return [placed._replace(account_id=of.get(placed.key, placed.account_id)) for placed in orders]


def _without_entry(orders: Sequence[Placed], using: str) -> Iterator[tuple[Placed, Unreported]]:
    keys_of = [placed.keys() for placed in orders]
    entries = SendLogEntry.objects.using(using).filter(dedup_key__in=set().union(*keys_of))
    # An order recorded as invalid counts as unreported: it may have become valid since.
    invalid = entries.filter(status=Status.SKIPPED, reason__startswith=reasons.INVALID).values_list("pk", flat=True)
    known = set(entries.exclude(pk__in=list(invalid)).values_list("dedup_key", flat=True))
    for placed, keys in zip(orders, keys_of, strict=True):
        order = placed.order
        if isinstance(order, UnusableOrder):
            yield placed, Unreported(order.order_id, problem=order.problem)
        elif not keys & known:
            known |= keys
            yield placed, Unreported(showable(order.reference), order)
