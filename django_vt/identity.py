"""Whose event it is: cookies, an e-mail address, or what the shop knows, as an `Identity`.

The three ways, and the names of their fields, are the vendor's ("Server Side User Identification"):
the pixel's `userId` and `sessionId`, the site's own `_vtsid`, or the `email` of a person it knows.
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

# Cookies are the shopper's to write; what doesn't look like the vendor's is no cookie.
PIXEL_PATTERN = re.compile(r"([A-Za-z0-9-]{1,64})_([A-Za-z0-9-]{1,64})(?:_.*)?", re.ASCII | re.DOTALL)
PIXEL_ID_PATTERN = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
VTSID_PATTERN = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)
ALL_WAYS: tuple[IdentificationWay, ...] = ("pixel", "vtsid", "email")


@made_discreetly
@dataclass(frozen=True, repr=False)
class Identity:
    """All that is known of who did something; an event goes out under exactly one of the ways in it.

    `user_id` and `session_id` are the vendor's pixel ids, strings of `[A-Za-z0-9-]` ("0111" has a zero that counts),
    given both or not at all; `vtsid` is the site's own id (`_vtsid`); `email` an address that the vendor knows
    (`Jo <jo@…>` is `jo@…`, a list of addresses is none). Raises `InvalidField`, a `ValueError` that names the field,
    for anything but such strings. Truthy when it names somebody. Its `repr` names the ways and no value.
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
        """What `_vt_user` and `_vtsid` in `cookies` (as `request.COOKIES`) say.

        Never raises: a cookie of another form than the vendor's counts as absent.
        """
        pixel = PIXEL_PATTERN.fullmatch(_text(cookies.get(PIXEL_COOKIE)))
        user_id, session_id = pixel.groups() if pixel else ("", "")
        vtsid = _text(cookies.get(VTSID_COOKIE))
        vtsid = vtsid if VTSID_PATTERN.fullmatch(vtsid) else ""
        identity = cls.__new__(cls)
        # Past the constructor: it would match again what has matched, once a request.
        vars(identity).update(user_id=user_id, session_id=session_id, vtsid=vtsid, email="")
        return identity

    @classmethod
    @discreetly
    def from_dict(cls, data: Mapping[str, Any]) -> Identity:
        """The identity that `to_dict` wrote as `data`, for instance into the shop's own session or order.

        Raises `InvalidField`, a `ValueError`, for a key or a value that is no part of one.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := set(data) - known:
            name = values.inside("identity", unknown.pop())
            raise InvalidField(name, f"is not part of one; known are {', '.join(sorted(known))}")
        return cls(**data)

    def to_dict(self) -> dict[str, str]:
        """What is set, as strings that JSON can hold. These are personal data: keep them as such."""
        return {field.name: value for field in dataclasses.fields(self) if (value := getattr(self, field.name))}

    def only(self, way: IdentificationWay) -> Identity:
        """This identity reduced to one `way`, "pixel", "vtsid" or "email"; falsy where it doesn't have that one."""
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
        """The ways in which it names somebody."""
        return tuple(way for way in ALL_WAYS if self._has(way))

    @property
    def stored_form(self) -> str:
        """The send log's column `identity`: `pixel:<user>_<session>`, `vtsid:…` or `email:…`.

        An address is stored as it is compared: in lower case, its domain as DNS has it. An identity of several ways
        is stored under the first of these. Empty where it names nobody.
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
    """Somewhere to ask for an identity: asked once, when needed, and only for the ways it can have."""

    def __init__(self, ask: Callable[[], Identity], *ways: IdentificationWay) -> None:
        self._ask = ask
        self._ways = ways or ALL_WAYS
        self._answer: Identity | None = None

    def answer(self, way: IdentificationWay) -> Identity:
        """What it knows, reduced to this way."""
        if way not in self._ways:
            return NOBODY
        if self._answer is None:
            self._answer = self._ask()
        return self._answer.only(way)


def choose(ways: Iterable[IdentificationWay], sources: Iterable[Source]) -> Identity:
    """The identity of exactly one way: for each way in turn, the first source that has it.

    `sources` may be made as they are asked: nearly always one of the first has the first way.
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


# What the request being served says; set by `django_vt.visitors.serving`, so that nothing here knows of requests.
being_served: ContextVar[Callable[[], Identity]] = ContextVar("django_vt_being_served")


@discreetly
def current() -> Identity:
    """The identity of the request being served; falsy outside a request.

    For adapters of signals that carry no request. The one being served need not be the buyer's (staff mark
    orders paid, payment providers call back): check that before you use it. `track()` never does by itself.
    """
    return being_served.get(lambda: NOBODY)()


def _require(pattern: re.Pattern[str], field: str, value: str) -> None:
    if value and not pattern.fullmatch(value):
        raise InvalidField(field, f"must match {pattern.pattern}")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


NOBODY = Identity()
