"""Events: what happened in the shop, and the JSON that reports it to the vendor.

The field names (`items`, `generic`, `orderId`, `source`, …) and their order are those of the vendor's document "You can
send events to our system from server side" and of the requests that its examples make.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, TypeAlias
from uuid import UUID

from django.utils.translation import gettext, gettext_noop

from django_vt.conf import IdentificationWay
from django_vt.discretion import made_discreetly
from django_vt.exceptions import InvalidField
from django_vt.identity import Identity
from django_vt.protocol import addresses, values
from django_vt.protocol.values import TYPE_PATTERN, is_type

CONFIRMATION = "confirmation"
LOGIN = "login"
IDENTITY_KEYS = ("userId", "sessionId", "_vtsid", "email")
EMPTY: Mapping[str, Any] = MappingProxyType({})
LONGEST_PAYLOAD = 1_000_000  # characters; servers accept URLs of some thousand


class AnyEvent(Protocol):
    """What `track` accepts: `Confirmation`, `Login`, `Event`, or a class of the shop's own with these members."""

    @property
    def type(self) -> str:
        """The vendor's event type, which is also in the path of the URL."""

    @property
    def email(self) -> str:
        """The event's own e-mail address; empty if it has none."""

    @property
    def reference(self) -> str:
        """The text by which staff look the event up (the orderId), at most 255 characters."""

    @property
    def dedup_key(self) -> str | None:
        """Events of one type with the same key count as one event. If it is None, each event counts."""

    def body(self, identity: Identity) -> dict[str, Any]:
        """The event's fields in the vendor's order, including those of `identity`, which has one way or none."""


class SafeRepr:
    """Gives a `repr` with the fields by which staff look an object up, and no personal data."""

    _shown: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        shown = (values.showable(getattr(self, name, None)) for name in self._shown)
        return f"<{type(self).__name__}: {' '.join(filter(None, shown))}>"


_impersonal: dict[str, frozenset[str]] = {}
_names: dict[str, str] = {}


class BaseEvent(SafeRepr):
    """The base class of events. For a new type of event, subclass it and define the members of `AnyEvent`.

    `type` is the vendor's event type, if all events of the class share it. `impersonal` are the keys of the payload, at
    any depth, whose values staff see without the permission `view_person`. All other values are masked; by default that
    is everything. `staff_name` is what staff call the event, such as `gettext_noop("refund")`, and is translated when
    it is shown; if it is empty, the type is shown.
    """

    impersonal: ClassVar[frozenset[str]] = frozenset()
    staff_name: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        event_type = vars(cls).get("type")
        if isinstance(event_type, str):
            # The send log stores the type, not the class. If two classes share a type, only keys in both are shown.
            _impersonal[event_type] = cls.impersonal & _impersonal.get(event_type, cls.impersonal)
            if cls.staff_name:
                _names[event_type] = cls.staff_name

    def ways(self, allowed: tuple[IdentificationWay, ...]) -> tuple[IdentificationWay, ...]:
        """Those of the `allowed` ways by which the event may be attributed, in their order; by default all."""
        return allowed


def impersonal_keys(event_type: str) -> frozenset[str]:
    """The keys in a payload of this type whose values are not personal; for a type without a class, `Event`'s."""
    return _impersonal.get(event_type, Event.impersonal)


def event_name(event_type: str) -> str:
    """The name of an event type for staff, in their language."""
    name = _names.get(event_type)
    return gettext(name) if name else event_type


@made_discreetly
@dataclass(frozen=True, repr=False, init=False)
class Item(SafeRepr):
    """A line of an order, as in the vendor's example of a `confirmation`: `{"id": "123123-M", "quantity": 2}`.

    `id` is the product or variant id that the vendor knows from the shop's feed: text, int or UUID, 1 to 255
    characters. `quantity` is how many, above 0: int, float or Decimal. Raises `InvalidField`, a `ValueError` that
    names the field.
    """

    id: str
    quantity: int | float | Decimal
    _shown: ClassVar[tuple[str, ...]] = ("id",)

    def __init__(self, id: str | int | UUID, quantity: int | float | Decimal) -> None:  # noqa: A002 - the vendor's name
        vars(self).update(id=values.identifier("id", id), quantity=values.quantity("quantity", quantity))


# The forms in which `Confirmation` accepts a line of an order.
AnyItem: TypeAlias = "Item | tuple[str | int | UUID, int | float | Decimal] | Mapping[str, Any]"


@made_discreetly
@dataclass(frozen=True, repr=False, init=False)
class Confirmation(BaseEvent):
    """An order was placed: the vendor's `confirmation`, as in the example of its document.

    `order_id` (text, int or UUID, 1 to 255 characters) becomes `orderId`, by which the vendor and this app discard
    repetitions. `total` is in the shop's currency, a Decimal, int, str or float (by its shortest `repr`), rounded
    half-up to cents, at most 15 digits. `items` are `Item`s, pairs or dicts with `id` and `quantity`. `email` is the
    buyer's; the order is attributed by it only if nothing better is known. `extra` is added to `generic`. Raises
    `InvalidField`, a `ValueError` that names the field.
    """

    order_id: str
    total: Decimal
    items: tuple[Item, ...]
    email: str
    extra: Mapping[str, Any]
    type = CONFIRMATION  # no ClassVar, because pyright would not match it with the property of AnyEvent
    impersonal: ClassVar[frozenset[str]] = frozenset(
        {"items", "id", "quantity", "generic", "orderId", "total", "currency", "coupon", "coupons", "status"}
        | {"total_shipping"}
    )
    staff_name: ClassVar[str] = gettext_noop("order")
    _shown: ClassVar[tuple[str, ...]] = ("order_id",)

    def __init__(
        self,
        order_id: str | int | UUID,
        total: Decimal | float | str,
        items: Iterable[AnyItem],
        email: str | None = "",
        extra: Mapping[str, Any] = EMPTY,
    ) -> None:
        vars(self).update(
            order_id=values.identifier("order_id", order_id),
            total=values.money("total", total),
            items=_items(items),
            email=values.email("email", email),
            extra=values.data("extra", extra, {"orderId", "total", "email"}),
        )

    @property
    def reference(self) -> str:
        """The orderId."""
        return self.order_id

    @property
    def dedup_key(self) -> str:
        """The orderId."""
        return self.order_id

    def body(self, identity: Identity) -> dict[str, Any]:
        """The fields in the order of the vendor's example, with those of `identity` among them."""
        items = [{"id": item.id, "quantity": values.number(item.quantity)} for item in self.items]
        generic: dict[str, Any] = {"orderId": self.order_id, "total": values.number(self.total)}
        if self.email:
            generic["email"] = self.email
        return {**naming(identity), "type": self.type, "items": items, "generic": {**generic, **self.extra}}


@made_discreetly
@dataclass(frozen=True, repr=False)
class Login(BaseEvent):
    """A shopper logged in: the vendor's `login`, as in the example of its document.

    `email` is the shopper's address. If it is given, it is also the identity, as in the vendor's example. `source` is a
    word for where the login happened. `attributes`, keys and values that JSON can hold, become attributes of the
    person, according to the vendor's help pages. Raises `InvalidField`, a `ValueError` that names the field.
    """

    email: str
    source: str
    attributes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    type = LOGIN
    impersonal: ClassVar[frozenset[str]] = frozenset({"source"})
    staff_name: ClassVar[str] = gettext_noop("login")
    _shown: ClassVar[tuple[str, ...]] = ("source",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "email", values.email("email", self.email))
        object.__setattr__(self, "source", values.identifier("source", self.source))
        reserved = {*IDENTITY_KEYS, "type", "source"}
        object.__setattr__(self, "attributes", values.data("attributes", self.attributes, reserved))

    @property
    def reference(self) -> str:
        """Empty, because the address must not be shown."""
        return ""

    @property
    def dedup_key(self) -> None:
        """None: no login repeats another."""

    def ways(self, allowed: tuple[IdentificationWay, ...]) -> tuple[IdentificationWay, ...]:
        """Only by e-mail if the login has an address, as in the vendor's example."""
        return ("email",) if self.email and "email" in allowed else allowed

    def body(self, identity: Identity) -> dict[str, Any]:
        """The fields in the order of the vendor's example, with those of `identity` among them."""
        if identity.email:
            return {"type": self.type, **naming(identity), "source": self.source, **self.attributes}
        return {**naming(identity), "type": self.type, "source": self.source, **self.attributes}


@made_discreetly
@dataclass(frozen=True, repr=False)
class Event(BaseEvent):
    """Any other event (the vendor calls it generic). `type` matches `[A-Za-z0-9_-]{1,64}`, `data` is JSON data.

    `reference` (up to 255 characters) is shown in the send log and can be searched for. Events of one type with the
    same `dedup_key` count as one. Raises `InvalidField`, a `ValueError` that names the field; also for an identity's
    key in `data`: pass the identity to `track` instead.
    """

    type: str
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    reference: str = dataclasses.field(default="", kw_only=True)
    dedup_key: str | None = dataclasses.field(default=None, kw_only=True)
    impersonal: ClassVar[frozenset[str]] = frozenset({"productId", "quantity", "price", "currency", "total"})
    _shown: ClassVar[tuple[str, ...]] = ("type", "reference")

    def __post_init__(self) -> None:
        if not is_type(self.type):
            raise InvalidField("type", f"must match {TYPE_PATTERN.pattern}")
        object.__setattr__(self, "type", values.plain(self.type))
        object.__setattr__(self, "data", values.data("data", self.data, {*IDENTITY_KEYS, "type"}))
        for name, absent in (("reference", ""), ("dedup_key", None)):
            if values.plain(getattr(self, name)) != absent:
                object.__setattr__(self, name, values.identifier(name, getattr(self, name)))
            else:
                object.__setattr__(self, name, absent)

    @property
    def email(self) -> str:
        """Empty, because `track` gets the identity."""
        return ""

    def body(self, identity: Identity) -> dict[str, Any]:
        """The fields in the order of the vendor's example, with those of `identity` among them."""
        return {**naming(identity), "type": self.type, **self.data}


def payload(event: AnyEvent, identity: Identity) -> str:
    """The event's JSON exactly as it is sent: compact, ASCII, keys in their order.

    Raises `InvalidField` if it is too long for any request. A database may drop the connection for such a row, and the
    order's transaction with it.
    """
    text = _encode(event.body(identity))
    if len(text) > LONGEST_PAYLOAD:
        raise InvalidField("payload", f"longer than {LONGEST_PAYLOAD} characters")
    return text


def address_in(event: AnyEvent) -> str:
    """The e-mail address whose hash is stored for the event: its own, otherwise the first one in its body or reference.

    In canonical form; empty if the event holds no address.
    """
    return _own_address(event) or next(_addresses(event), "")


def addresses_in(event: AnyEvent) -> tuple[str, ...]:
    """The distinct e-mail addresses that the event holds, in canonical form.

    They are taken from the texts and keys of its body, at any depth, and from its reference. The send log stores the
    hash of the first only: to find another, read the payloads (`django_vt.protocol.addresses.in_payload`).
    """
    return tuple(dict.fromkeys(filter(None, [_own_address(event), *_addresses(event)])))


def _own_address(event: AnyEvent) -> str:
    return addresses.canonical(values.email("email", event.email))


def _addresses(event: AnyEvent) -> Iterator[str]:
    return addresses.within((event.body(Identity()), values.plain(event.reference)))


_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def naming(identity: Identity) -> dict[str, str]:
    """The fields of an event's body that give `identity`, which has one way or none."""
    if identity.user_id:
        return {"userId": identity.user_id, "sessionId": identity.session_id}
    if identity.vtsid:
        return {"_vtsid": identity.vtsid}
    return {"email": identity.email} if identity.email else {}


def _items(value: object) -> tuple[Item, ...]:
    value = values.plain(value)
    # Test for list and tuple first: the isinstance check of an ABC is slow.
    if not isinstance(value, (list, tuple)) and (
        isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable)
    ):
        raise InvalidField("items", "must be a list of Items, pairs or dicts")
    return tuple(item if type(item) is Item else _item(index, item) for index, item in enumerate(value))


def _item(index: int, value: object) -> Item:
    name = f"items[{index}]"
    value = values.plain(value)
    try:
        if isinstance(value, Item):
            # Of a class of the shop's own: its members are asked here and now, and never while an order is recorded.
            return Item(value.id, value.quantity)
        if isinstance(value, Mapping):
            return Item(*(_member(value, key) for key in ("id", "quantity")))
        if isinstance(value, (tuple, list)) and len(value) == 2:
            return Item(*value)
    except InvalidField as error:
        raise InvalidField(f"{name}.{error.field}", error.problem) from None
    raise InvalidField(name, "must be an Item, a pair (id, quantity) or a dict with id and quantity")


def _member(mapping: Mapping[str, Any], key: str) -> Any:
    try:
        return mapping[key]
    except KeyError:
        raise InvalidField(key, "is missing") from None
