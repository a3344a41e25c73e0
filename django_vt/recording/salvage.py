"""Orders with an unusable value: the rest is kept, so that staff can send it later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django_vt.events import Confirmation
from django_vt.exceptions import InvalidField


def in_hand(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a `Confirmation`, with the items in a list, because a generator can be read only once."""
    items = given.get("items")
    # Test for list and tuple first: the isinstance check of an ABC is slow.
    if isinstance(items, (list, tuple, str, bytes, Mapping)) or not isinstance(items, Iterable):
        return dict(given)
    return {**given, "items": list(items)}


def without_what_is_wrong(given: Mapping[str, Any]) -> Confirmation:
    """The order without those items, the address or the extra data that cannot be used.

    Raises `InvalidField` if its id, its total or all of its items are unusable: then nothing is left to send.
    """
    # `items` is a list or tuple here: `Confirmation` checks it before the address and the extra data.
    rest = {**given, "items": [item for item in given["items"] if _is_usable(items=[item])]}
    for name in ("email", "extra"):
        if name in rest and not _is_usable(**{name: rest[name]}):
            del rest[name]
    return Confirmation(**rest)


def _is_usable(**argument: Any) -> bool:
    try:
        Confirmation(**{"order_id": "0", "total": 0, "items": [], **argument})
    except InvalidField:
        return False
    return True
