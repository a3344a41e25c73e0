"""`Identity`: whose event it is, by cookies, by an e-mail address, or by what the shop knows.

The three ways, and the names of their fields, are the vendor's ("Server Side User Identification"): the pixel's
`userId` and `sessionId`, the shop's own `_vtsid`, or the `email` of a person that the vendor knows.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django_vt.conf import IdentificationWay
from django_vt.discretion import discreetly, made_discreetly
from django_vt.exceptions import InvalidField
from django_vt.protocol import addresses, values

PIXEL_COOKIE = "_vt_user"
VTSID_COOKIE = "_vtsid"

# Shoppers can change their cookies, so a value that does not match the vendor's form is ignored.
PIXEL_PATTERN = re.compile(r"([A-Za-z0-9-]{1,64})_([A-Za-z0-9-]{1,64})(?:_.*)?", re.ASCII | re.DOTALL)
PIXEL_ID_PATTERN = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
VTSID_PATTERN = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)
ALL_WAYS: tuple[IdentificationWay, ...] = ("pixel", "vtsid", "email")


@made_discreetly
@dataclass(frozen=True, repr=False)
class Identity:
    """All ids known of a person. An event is sent with exactly one of its ways: pixel, vtsid or email.

    `user_id` and `session_id` are the vendor's pixel ids, strings of `[A-Za-z0-9-]` (the zero in "0111" counts); give
    both or neither. `vtsid` is the shop's own id (`_vtsid`). `email` is an address that the vendor knows (`Jo <jo@…>`
    becomes `jo@…`; a list of addresses becomes empty). Raises `InvalidField`, a `ValueError` that names the field, for
    any other value. Truthy if it holds an id. Its `repr` shows the ways but no value.
    """

    user_id: str = ""
    session_id: str = ""
    vtsid: str = ""
    email: str = ""

    def __post_init__(self) -> None:
        for name, given in [*vars(self).items()]:
            if type(given) is not str:
                if not isinstance(value := values.plain(given), str):
                    raise InvalidField(name, "must be a string")
                object.__setattr__(self, name, value)
        if bool(self.user_id) != bool(self.session_id):
            missing = "session_id" if self.user_id else "user_id"
            raise InvalidField(missing, "user_id and session_id go together: give both or neither")
        _require(PIXEL_ID_PATTERN, "user_id", self.user_id)
        _require(PIXEL_ID_PATTERN, "session_id", self.session_id)
        _require(VTSID_PATTERN, "vtsid", self.vtsid)
        if self.email:
            object.__setattr__(self, "email", values.email("email", self.email))

    @classmethod
    @discreetly
    def from_cookies(cls, cookies: Mapping[str, str]) -> Identity:
        """The identity in the cookies `_vt_user` and `_vtsid` of `cookies`, a mapping such as `request.COOKIES`.

        Never raises: a cookie that does not match the vendor's form counts as absent.
        """
        pixel = PIXEL_PATTERN.fullmatch(_text(cookies.get(PIXEL_COOKIE)))
        user_id, session_id = pixel.groups() if pixel else ("", "")
        vtsid = _text(cookies.get(VTSID_COOKIE))
        vtsid = vtsid if VTSID_PATTERN.fullmatch(vtsid) else ""
        identity = cls.__new__(cls)
        # Bypass the constructor, which would match the patterns again, at each request.
        vars(identity).update(user_id=user_id, session_id=session_id, vtsid=vtsid, email="")
        return identity

    @classmethod
    @discreetly
    def from_dict(cls, data: Mapping[str, Any]) -> Identity:
        """The identity that `to_dict` wrote as `data`, for example into the shop's own session or order.

        Raises `InvalidField`, a `ValueError`, for an unknown key or an invalid value.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := set(data) - known:
            name = values.inside("identity", unknown.pop())
            raise InvalidField(name, f"is not part of one; known are {', '.join(sorted(known))}")
        return cls(**data)

    def to_dict(self) -> dict[str, str]:
        """The non-empty fields, as strings that JSON can hold. They are personal data: protect them."""
        return {field.name: value for field in dataclasses.fields(self) if (value := getattr(self, field.name))}

    def only(self, way: IdentificationWay) -> Identity:
        """This identity reduced to one `way`, "pixel", "vtsid" or "email"; falsy if it does not have that way."""
        if not self._has(way):
            return NOBODY
        if not any(self._has(other) for other in ALL_WAYS if other != way):
            return self
        if way == "pixel":
            return Identity(user_id=self.user_id, session_id=self.session_id)
        return Identity(vtsid=self.vtsid) if way == "vtsid" else Identity(email=self.email)

    def _has(self, way: IdentificationWay) -> bool:
        return bool(self.user_id if way == "pixel" else self.vtsid if way == "vtsid" else self.email)

    @property
    def ways(self) -> tuple[IdentificationWay, ...]:
        """The ways for which it holds an id."""
        return tuple(way for way in ALL_WAYS if self._has(way))

    @property
    def stored_form(self) -> str:
        """The value of the send log's `identity`: `pixel:<user>_<session>`, `vtsid:…` or `email:…`.

        An address is stored in canonical form. If the identity has several ways, the first in this order is stored.
        Empty if it holds no id.
        """
        if self.user_id:
            return f"pixel:{self.user_id}_{self.session_id}"
        if self.vtsid:
            return f"vtsid:{self.vtsid}"
        return f"email:{addresses.canonical(self.email)}" if self.email else ""

    @classmethod
    @discreetly
    def from_stored_form(cls, stored: str) -> Identity:
        """The identity whose `stored_form` is `stored`; falsy for an empty one.

        Raises `InvalidField`, a `ValueError`, for a text that is no stored form.
        """
        way, _colon, value = stored.partition(":")
        if not stored:
            return NOBODY
        if way not in ALL_WAYS or not value.strip():
            raise InvalidField("identity", "is no stored form: pixel:<user>_<session>, vtsid:<id> or email:<address>")
        if way == "pixel":
            user_id, _underscore, session_id = value.partition("_")
            return cls(user_id=user_id, session_id=session_id)
        return cls(vtsid=value) if way == "vtsid" else cls(email=value)

    def __bool__(self) -> bool:
        return bool(self.user_id or self.vtsid or self.email)

    def __repr__(self) -> str:
        return f"<Identity: {', '.join(self.ways) or 'nobody'}>"


class Source:
    """A source of an identity. It is asked at most once, when needed, and only for the ways that it can have."""

    def __init__(self, ask: Callable[[], Identity], *ways: IdentificationWay) -> None:
        self._ask = ask
        self._ways = ways or ALL_WAYS
        self._answer: Identity | None = None

    def answer(self, way: IdentificationWay) -> Identity:
        """The source's identity reduced to `way`."""
        if way not in self._ways:
            return NOBODY
        if self._answer is None:
            self._answer = self._ask()
        return self._answer.only(way)


def choose(ways: Iterable[IdentificationWay], sources: Iterable[Source]) -> Identity:
    """The identity of exactly one way: for each way in turn, the first source that has it.

    `sources` may be a generator: nearly always, one of the first sources has the first way.
    """
    known: list[Source] = []
    others = iter(sources)
    for way in ways:
        for source in known:
            if identity := source.answer(way):
                return identity
        for source in others:
            known.append(source)
            if identity := source.answer(way):
                return identity
    return NOBODY


# Returns the identity of the request being served. `django_vt.visitors.serving` sets it; this module needs no requests.
being_served: ContextVar[Callable[[], Identity]] = ContextVar("django_vt_being_served")


@discreetly
def current() -> Identity:
    """The identity of the request being served; falsy outside a request.

    For adapters of signals that carry no request. The request being served may not be the buyer's: staff mark orders
    paid, payment providers call back. Check that before you use it. `track()` never uses it by itself.
    """
    return being_served.get(lambda: NOBODY)()


def _require(pattern: re.Pattern[str], field: str, value: str) -> None:
    if value and not pattern.fullmatch(value):
        raise InvalidField(field, f"must match {pattern.pattern}")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


NOBODY = Identity()
