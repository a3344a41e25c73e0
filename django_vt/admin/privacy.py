"""Masking personal data for staff who may not see whose event it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

from django.http import HttpRequest, QueryDict
from django.template.response import SimpleTemplateResponse

from django_vt.discretion import discreetly, forget_values
from django_vt.events import IDENTITY_KEYS, event_name, impersonal_keys
from django_vt.models import SendLogEntry
from django_vt.models.send_log import LONG_ID
from django_vt.protocol import addresses
from django_vt.protocol.addresses import hash_of_address

F = TypeVar("F", bound=Callable[..., Any])

HIDDEN = "***"


def mask_identity(stored: str) -> str:
    """A stored identity reduced to its way and a few characters: `email:b***@***`, `pixel:8139***`."""
    way, colon, value = stored.partition(":")
    return f"{way}{colon}{mask_identifier(value)}" if value else stored


def mask_text(value: str) -> str:
    """A text with its e-mail addresses masked, in whatever form the at sign is written."""
    return addresses.replaced(value, lambda word: f"{word[:1]}{HIDDEN}@{HIDDEN}")


def mask_ids(value: str, stored: str) -> str:
    """A text with the ids of a stored identity masked, because the shop's own data may repeat them under any key."""
    way, _colon, ids = stored.partition(":")
    for known in ids.split("_") if way == "pixel" else [ids]:
        if len(known) >= LONG_ID:
            value = value.replace(known, mask_identifier(known))
    return value


def mask_hashes(value: str, entry: SendLogEntry) -> str:
    """A text with the hashes of the entry's addresses masked: they could be compared with a known address's hash."""
    way, _colon, address = entry.identity.partition(":")
    hashes = {entry.email_hash, hash_of_address(address) if way == "email" else ""} - {""}
    return re.sub("|".join(hashes), HIDDEN, value, flags=re.IGNORECASE) if hashes else value


def mask_reference(entry: SendLogEntry) -> str:
    """The reference without data that identify the entry's person."""
    if entry.reference in entry.known_by:
        return HIDDEN
    return mask_hashes(mask_ids(mask_text(entry.reference), entry.identity), entry)


def mask_identifier(value: str) -> str:
    """The first letter of an address or the beginning of a long id, too little to identify anybody."""
    if addresses.may_hold_address(value):
        return f"{value[:1]}{HIDDEN}@{HIDDEN}"
    return f"{value[:4]}{HIDDEN}" if len(value) >= LONG_ID else HIDDEN


def mask_event(value: dict[str, Any]) -> dict[str, Any]:
    """An event with its identity masked, and all values except those that its class declares impersonal."""
    masked: dict[str, Any] = _masked(value, {"type", *impersonal_keys(str(value.get("type")))})
    return masked


def _masked(value: Any, shown: Collection[str]) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, list):
        return [_masked(inner, shown) for inner in value]
    if isinstance(value, dict):
        return {mask_text(key): _masked_field(key, inner, shown) for key, inner in value.items()}
    return value


def _masked_field(key: str, value: Any, shown: Collection[str]) -> Any:
    if key in IDENTITY_KEYS:
        return mask_identifier(str(value))
    return _masked(value, shown) if key in shown else HIDDEN


# The viewer of the send log, and their permissions.

MAY_RESEND = "django_vt.resend_sendlogentry"
MAY_SEE_PEOPLE = "django_vt.view_person"
MAY_FORGET = "django_vt.forget_person"


@dataclass(frozen=True)
class Viewer:
    """A member of staff, who sees personal data in the send log as they are, or masked."""

    sees_people: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Viewer:
        """The viewer who makes the request."""
        return cls(sees_people=request.user.has_perm(MAY_SEE_PEOPLE))

    def identity(self, entry: SendLogEntry) -> str:
        """The entry's identity in the stored form, maybe masked."""
        return entry.identity if self.sees_people else mask_identity(entry.identity)

    def reference(self, entry: SendLogEntry) -> str:
        """The reference, maybe masked: a shop may use an address or a visitor's id as one."""
        return entry.reference if self.sees_people else mask_reference(entry)

    def name(self, entry: SendLogEntry) -> str:
        """The event's name and reference: `order 100023`."""
        return f"{event_name(entry.event_type)} {self.reference(entry)}".strip()

    def payload(self, entry: SendLogEntry) -> str:
        """The event's JSON, as it is sent or masked."""
        return entry.payload if self.sees_people else self.masked_payload(entry)

    def masked_payload(self, entry: SendLogEntry) -> str:
        """The event's JSON, masked for everybody."""
        event = entry.event
        if event is None:
            # A text that is no JSON object may hold personal data anywhere.
            return HIDDEN if entry.payload else ""
        return mask_hashes(mask_ids(json.dumps(mask_event(event), separators=(",", ":")), entry.identity), entry)


# Keeping personal data out of the error reports of the send log's pages.


def answered_discreetly(view: F) -> F:
    """Decorate an admin view so that its errors, and its template's, carry neither local variables nor POST data."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # Django hides POST data in reports, but only if DEBUG is False.
        request.sensitive_post_parameters = "__ALL__"  # type: ignore[attr-defined]
        try:
            response = view(request, *args, **kwargs)
        except BaseException as error:
            request.POST = QueryDict()
            forget_values(error)
            raise
        if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
            # Django renders it after this function has returned.
            response.render = discreetly(response.render)  # type: ignore[method-assign]
        return response

    return cast("F", answer)
