"""The shop's orders that the send log does not know: an import, a new checkout, a telephone order forgot the signal.

The setting ORDERS names the shop's own orders of a time. Each is looked up by its deduplication key. None is kept in
memory, so there can be millions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.apps import apps
from django.utils import timezone
from django.utils.module_loading import import_string

from django_vt.accounts import account_for, known_accounts
from django_vt.conf import settings
from django_vt.events import Confirmation
from django_vt.exceptions import DjangoVTError, InvalidField
from django_vt.models import OrdersLook, SendLogEntry, Status
from django_vt.models.db import default_alias
from django_vt.protocol import reasons
from django_vt.protocol.values import showable
from django_vt.recording import record

AT_ONCE = 500  # orders a query
# An adapter's AppConfig can name the orders of the shop that it adapts.
OF_AN_ADAPTER = "django_vt_orders"


class OrdersUnknown(DjangoVTError):
    """The shop's orders cannot be told. The message says why, and holds nothing of an order."""


@dataclass(frozen=True, repr=False)
class UnusableOrder:
    """What ORDERS gives instead of a `Confirmation` for an order that cannot be one. `problem` says why not."""

    order_id: str
    problem: str

    @classmethod
    def of(cls, order_id: object, error: Exception) -> UnusableOrder:
        """The order for which making the `Confirmation` raised `error`, of which only what is safe is kept."""
        return cls(showable(order_id), str(error) if isinstance(error, InvalidField) else type(error).__name__)


def usable(make: Callable[[], Confirmation], order_id: object) -> Confirmation | UnusableOrder:
    """What `make` returns; an `UnusableOrder` if it raises, so that the other orders are looked at all the same."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - whatever the order holds
        return UnusableOrder.of(order_id, error)


@dataclass(frozen=True, repr=False)
class Unreported:
    """An order without an entry that will do. `event`: what would report it; None if it is unusable, see `problem`."""

    order_id: str
    event: Confirmation | None = None
    problem: str = ""


class Look:
    """A look for the unreported orders of a time, from `since` on and before `until`.

    It counts as it goes: orders `looked_at`, `found` without an entry, `reported` now, and `left` unreported. At its
    end the counts are stored for `last_look`.
    """

    def __init__(self, since: datetime, until: datetime, *, report: bool = False, using: str | None = None) -> None:
        self._since = since
        self._until = until
        self._report = report
        self._using = using or default_alias()
        self.looked_at = self.found = self.reported = 0

    @property
    def left(self) -> int:
        """How many are still unreported."""
        return self.found - self.reported

    def run(self) -> Iterator[Unreported]:
        """Yield each unreported order, and record it first if that is asked for.

        An order is recorded once, though this runs twice at the same moment. Raises `OrdersUnknown` if the shop's
        orders cannot be told.
        """
        orders = _orders(self._since, self._until)
        while some := list(islice(orders, AT_ONCE)):
            self.looked_at += len(some)
            for order in _without_entry(some, self._using):
                self.found += 1
                self.reported += self._report and order.event is not None and self._record(order.event)
                yield order
        self._store()

    def _record(self, event: Confirmation) -> bool:
        entry = record.track(event, using=self._using)
        return entry is not None and not (entry.status == Status.SKIPPED and entry.reason.startswith(reasons.INVALID))

    def _store(self) -> None:
        values = {"at": timezone.now(), "since": self._since, "found": self.found, "reported": self.reported}
        OrdersLook.objects.using(self._using).update_or_create(pk=OrdersLook.ONLY, defaults=values)


def last_look(using: str | None = None) -> OrdersLook | None:
    """What the last look has found, and when that was; None where nobody has looked yet."""
    return OrdersLook.objects.using(using or default_alias()).first()


def are_known() -> bool:
    """Whether the shop, or an adapter for it, says which its orders are."""
    return bool(_path())


def _path() -> str | None:
    if settings.ORDERS is not None:
        return settings.ORDERS
    of_adapters = (getattr(config, OF_AN_ADAPTER, None) for config in apps.get_app_configs())
    return next(filter(None, of_adapters), None)


def _orders(since: datetime, until: datetime) -> Iterator[Confirmation | UnusableOrder]:
    path = _path()
    if path is None:
        raise OrdersUnknown('DJANGO_VT["ORDERS"] does not say which the shop\'s orders are.')
    try:
        name: Callable[[datetime, datetime], Iterable[Any]] = import_string(path)
        for order in name(since, until):
            if not isinstance(order, (Confirmation, UnusableOrder)):
                raise OrdersUnknown(f"ORDERS gave a {type(order).__name__} where it is to give a Confirmation.")
            yield order
    except DjangoVTError as error:
        # Ours name a field, and repeat no value.
        raise OrdersUnknown(f"ORDERS failed: {error}") from None
    except Exception as error:  # noqa: BLE001 - the shop has written it
        # Neither its text nor the error itself: both can hold an order.
        raise OrdersUnknown(f"ORDERS raised {type(error).__name__}.") from None


def _without_entry(orders: Sequence[Confirmation | UnusableOrder], using: str) -> Iterator[Unreported]:
    keys_of = {id(order): _keys(order) for order in orders if isinstance(order, Confirmation)}
    entries = SendLogEntry.objects.using(using).filter(dedup_key__in=set().union(*keys_of.values()))
    # What was recorded as invalid was not reported: with what the order is now it may be.
    invalid = entries.filter(status=Status.SKIPPED, reason__startswith=reasons.INVALID).values_list("pk", flat=True)
    known = set(entries.exclude(pk__in=list(invalid)).values_list("dedup_key", flat=True))
    for order in orders:
        if isinstance(order, UnusableOrder):
            yield Unreported(order.order_id, problem=order.problem)
        elif not keys_of[id(order)] & known:
            known |= keys_of[id(order)]
            yield Unreported(showable(order.reference), order)


def _keys(order: Confirmation) -> set[str | None]:
    """Under which the order is recorded: its account's, or any account's if nobody can tell whose it is by now."""
    account_id = account_for(order, None)
    accounts = [account_id] if account_id else [*(known_accounts() or ()), ""]
    return {record.dedup_key(account, order.type, order.dedup_key) for account in accounts}
