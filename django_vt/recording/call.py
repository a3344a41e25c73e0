"""`Call`: what is to be recorded, in the one form that signals, `track` and adapters all use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.http import HttpRequest

from django_vt.events import AnyEvent, Confirmation, Event, Item, Login
from django_vt.identity import Identity
from django_vt.models.db import default_alias
from django_vt.protocol.values import showable
from django_vt.recording.door import savepoints

# The constructors of these classes check and copy their values. A subclass may return anything, or query for it.
CHECKED = frozenset({Confirmation, Login, Event})
PLAIN_VALUES = frozenset({str, int, float, Decimal, bool, type(None), UUID, Item, Identity})


def nobody() -> None:
    """The caller gives no identity."""


def not_plain() -> bool:
    """Nothing is known of what the shop has passed: it may run code of the shop's."""
    return False


class Call(NamedTuple):
    """An event to be recorded, with all values that the shop passed, none of them checked yet.

    `make` gives the event, or the arguments of a `Confirmation`, or None: nothing is to be recorded. `identity` gives
    whose it is, where the shop says so. `using` is the alias of the order's database, by default the send log's.
    `account_id` is the account that the shop names, or gives it.
    `event_type` and `reference` are what the entry shows if there is no event. `looks_plain` tells whether none of it
    can run code of the shop's, so that it needs no savepoint; it may raise. `keeps_what_fails`: an error of the shop's
    becomes a `skipped` entry. `repeats`: the shop has told of it already, and the log need not again.
    """

    make: Callable[[], AnyEvent | Mapping[str, Any] | None]
    request: HttpRequest | None = None
    identity: Callable[[], Identity | None] = nobody
    using: str | None = None
    account_id: str | Callable[[], str | None] | None = None
    event_type: str = ""
    reference: object = ""
    looks_plain: Callable[[], bool] = not_plain
    keeps_what_fails: bool = True
    repeats: bool = False

    @property
    def type(self) -> str:
        """The event type, under the name by which `Named` asks for it."""
        return self.event_type

    def is_plain(self) -> bool:
        """What `looks_plain` tells."""
        return is_surely(self.looks_plain)


def is_surely(looks_plain: Callable[[], bool]) -> bool:
    """What it tells; False where it raises, as for a list that holds itself."""
    try:
        return looks_plain()
    except Exception:  # noqa: BLE001 - what is looked at is the shop's
        return False


def is_plain(*values: object) -> bool:
    """Whether reading the values runs none of the shop's code: no property, no generator, no lazy object."""
    for value in values:
        kind = type(value)
        if kind in PLAIN_VALUES:
            continue
        if kind is list or kind is tuple:
            if not is_plain(*value):  # type: ignore[misc]
                return False
        elif kind is not dict or not is_plain(*value, *value.values()):  # type: ignore[misc, attr-defined]
            return False
    return True


def is_plain_request(request: object) -> bool:
    """Whether the request's cookies and its `vt_identity` can be read without running the shop's code."""
    if request is None:
        return True
    if not issubclass(type(request), HttpRequest):
        return False
    known = vars(request).get("vt_identity")
    # Allow the middleware's own lazy object, which reads only the cookies.
    ours = getattr(vars(known).get("_setupfunc"), "__module__", "") if hasattr(type(known), "_setup") else ""
    return type(known) in PLAIN_VALUES or ours.startswith("django_vt.")


class Named:
    """The name of an event in log lines, whatever object the shop passed; computed only if something is logged."""

    def __init__(self, event: object, using: str | None) -> None:
        self._event = event
        self._using = using

    def __str__(self) -> str:
        return " ".join(filter(None, map(self._shown, ("type", "reference")))) or "an event"

    def _shown(self, name: str) -> str:
        if type(self._event) in CHECKED:
            return showable(getattr(self._event, name))
        try:
            with savepoints(self._using or default_alias()):
                return showable(getattr(self._event, name, None))
        except Exception:  # noqa: BLE001 - the shop's property may raise, and that would reach the shopper
            return ""
